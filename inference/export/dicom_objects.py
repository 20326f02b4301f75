"""DICOM objects of our own, on their way to a file."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["to_bytes"]


def to_bytes(made: Dataset) -> bytes:
    """Encode an object as it stands in a file (PS3.10, 7.1), so that it can be written in one step.

    Raises
    ------
    ValueError
        When it lacks what a file must say of itself.
    """
    stream = BytesIO()
    made.save_as(stream, enforce_file_format=True)
    return stream.getvalue()
