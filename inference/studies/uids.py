"""UIDs for sources that have none."""

from __future__ import annotations

import hashlib
import uuid

__all__ = ["derived_uid"]


def derived_uid(*parts: object) -> str:
    """Return a UID that is always the same for the same parts (DICOM PS3.5, B.2).

    For sources that have none: equal paths give equal UIDs from one start to the next. Paths are
    taken by their bytes, which need not be text.
    """
    name = "|".join(str(part) for part in parts).encode("utf-8", "surrogateescape")
    # What `uuid.uuid5` does, which takes text alone.
    digest = hashlib.sha1(uuid.NAMESPACE_URL.bytes + name, usedforsecurity=False).digest()
    return f"2.25.{uuid.UUID(bytes=digest[:16], version=5).int}"
