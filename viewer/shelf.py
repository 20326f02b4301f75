"""Findings of series that are not on the screen, for the way back to them."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inference.findings import Findings
    from inference.studies.model import Volume

__all__ = ["Shelf"]

_MOST = 4
"""Masks of a large CT take some hundred megabytes."""


class Shelf:
    """Keeps the findings of the last few series, each with the fingerprint of its volume.

    `put` and `take` read every voxel and belong on a worker's thread.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], tuple[str, Findings]] = OrderedDict()

    def knows(self, volume: Volume) -> bool:
        """Findings of a series of this name were kept; `take` says whether they still hold."""
        return _key(volume) in self._kept

    def put(self, volume: Volume, findings: Findings) -> None:
        """Keep findings; the oldest make room."""
        from inference.export.current import content_hash

        self._kept[_key(volume)] = (content_hash(volume), findings)
        self._kept.move_to_end(_key(volume))
        while len(self._kept) > _MOST:
            self._kept.popitem(last=False)

    def take(self, volume: Volume) -> Findings | None:
        """Return the findings of exactly these values on exactly this grid, or None."""
        from inference.export.current import content_hash

        fingerprint, findings = self._kept.get(_key(volume), ("", None))
        return findings if fingerprint == content_hash(volume) else None


def _key(volume: Volume) -> tuple[str, str]:
    """A picture read as CT and the same picture read as X-ray have findings of their own."""
    return volume.series_uid, volume.modality
