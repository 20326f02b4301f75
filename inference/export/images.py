"""Which DICOM image a slice is, as files that are exported say it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inference.studies.model import Volume

__all__ = ["hashed", "image_of"]


def hashed(uid: str) -> str:
    """Stand in for a UID where the patient is not to be told."""
    return "sha256:" + hashlib.sha256(uid.encode()).hexdigest()


def image_of(volume: Volume, index: int, include_identity: bool) -> tuple[int | None, str | None]:
    """Return Instance Number and SOP Instance UID of a slice; None where the source has none.

    Parameters
    ----------
    volume
        What was analysed.
    index
        Of the slice.
    include_identity
        Give the UID itself; without it, its SHA-256.
    """
    if not 0 <= index < len(volume.slices):
        return None, None
    source = volume.slices[index]
    uid = source.sop_instance_uid
    if not uid:
        return source.instance, None
    return source.instance, uid if include_identity else hashed(uid)
