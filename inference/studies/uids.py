"""UIDs for sources that have none."""

from __future__ import annotations

import uuid

__all__ = ["derived_uid"]


def derived_uid(*parts: object) -> str:
    """Return a UID that is always the same for the same parts (DICOM PS3.5, B.2).

    For sources that have none: equal paths give equal UIDs from one start to the next.
    """
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, '|'.join(str(part) for part in parts)).int}"
