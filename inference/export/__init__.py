"""Findings out: DICOM SEG, NIfTI, PNG, JSON."""
