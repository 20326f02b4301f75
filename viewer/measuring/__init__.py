"""Measuring on the picture: tools, drawing, undo, and keeping what was drawn."""
