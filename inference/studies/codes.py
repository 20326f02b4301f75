"""The table of problem codes: what reading may find doubtful.

Every `Problem.code` made by this package is one of these; the values are stable.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Code"]


class Code(StrEnum):
    """Stable names of what may be doubtful about a study, series or volume."""

    # What was opened as a whole (on `Study.problems`).
    UNREADABLE_FILES = "unreadable-files"
    """Files that should have been images could not be read; the others were opened."""
    OTHER_OBJECTS = "other-objects"
    """DICOM objects that are not CT or X-ray images (SEG, SR, MR ...) were left out."""
    PATIENT_MISMATCH = "patient-mismatch"
    """One study UID is used for several patient IDs; they were kept apart."""

    # How files became series (on `Series.problems`).
    DUPLICATE_SLICES = "duplicate-slices"
    """Identical copies of slices were left out."""
    SAME_POSITION = "same-position"
    """Several different slices lie at one position; the series was split."""
    MIXED_ORIENTATION = "mixed-orientation"
    """The series holds several orientations; it was split."""
    MIXED_FRAME_OF_REFERENCE = "mixed-frame-of-reference"
    """The series holds several frames of reference; it was split."""
    MIXED_ECHO = "mixed-echo"
    """The series holds several echoes; it was split."""
    MIXED_SIZE = "mixed-size"
    """The series holds pictures of several sizes or pixel spacings; it was split."""
    MIXED_KIND = "mixed-kind"
    """The series holds grey and colour, or original and localizer pictures; it was split."""
    LOCALIZER = "localizer"
    """A scout: an overview for planning, not to be analysed."""
    SEPARATE_IMAGES = "separate-images"
    """Pictures without a common geometry (e.g. two X-ray views) were made a series each."""
    MISSING_UID = "missing-uid"
    """Slices have no SOP Instance UID, so nothing can refer to them."""
    DUPLICATE_UID = "duplicate-uid"
    """Different slices share one SOP Instance UID."""
    INVALID_UID = "invalid-uid"
    """A UID of the series breaks the rules of DICOM PS3.5, 9.1."""

    # Where the slices lie (on `Volume.problems`).
    NO_POSITION = "no-position"
    """Slices lack a position; the order is a guess and distances are unknown."""
    NO_SPACING = "no-spacing"
    """The pixel spacing is unknown; nothing can be measured in mm."""
    IMAGER_SPACING = "imager-spacing"
    """Spacing is that of the detector, not of the patient (magnification is not corrected)."""
    UNEVEN_SPACING = "uneven-spacing"
    """Distances between slices differ; positions in mm between the ends are approximate."""
    MISSING_SLICES = "missing-slices"
    """Gaps of whole slices."""
    SLICE_GAP = "slice-gap"
    """Slices are much thinner than their distance, so part of the lung is not shown."""
    SHIFTED_SLICES = "shifted-slices"
    """Slices lie sideways of one another."""
    GANTRY_TILT = "gantry-tilt"
    """The slices are sheared against their normal; the affine is, too."""
    SINGLE_SLICE = "single-slice"
    """One slice alone; its depth is the nominal slice thickness."""
    REORIENTED = "reoriented"
    """Axes were swapped or flipped to read from the feet, right on the left."""
    NO_ORIENTATION = "no-orientation"
    """The file does not say how it lies in the patient."""

    # What the values mean (on `Volume.problems`).
    NO_HU = "no-hu"
    """A CT without Hounsfield units: lungs, volumes and mean HU cannot be computed."""
    HU_ASSUMED = "hu-assumed"
    """The values look like Hounsfield units although the file does not say so."""
    HU_DOUBTFUL = "hu-doubtful"
    """Declared Hounsfield units hold no air."""
    PICTURE_NO_HU = "picture-no-hu"
    """A PNG or JPEG: one slice of grey levels, without HU and without geometry."""
    COLOUR_TO_GREY = "colour-to-grey"
    """Colour was turned into grey."""
    MODALITY_LUT = "modality-lut"
    """A modality look-up table was not applied."""
    VOI_LUT = "voi-lut"
    """A VOI look-up table was replaced by the window that it spans."""
    PADDING_VARIES = "padding-varies"
    """Slices declare different padding values; none was left out."""
    NOT_FINITE = "not-finite"
    """Values that are not numbers were replaced by the lowest value."""
    UNREADABLE_SLICES = "unreadable-slices"
    """The pixels of some slices could not be decoded; those slices were left out."""
