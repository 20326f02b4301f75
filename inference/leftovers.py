"""What killed processes left on the disk: swept when the program starts, in the window or not."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from platformdirs import user_data_path

from inference import atomic
from inference.homes import UNPACKED

__all__ = ["sweep"]

_KEPT: Final = ("measurements", "reviews", "findings")
"""Folders in which earlier versions left unfinished files that do not tell whose they are."""
_FORGOTTEN_SECONDS: Final = 86_400
"""What has been half written for so long is written by nobody any more."""


def sweep() -> None:
    """Remove unpacked archives and unfinished files of processes that ended without doing so.

    What a living process uses stays, and so does what cannot be removed.
    """
    UNPACKED.sweep()
    atomic.sweep()
    now = time.time()
    for kind in _KEPT:
        for each in (user_data_path("secondread", appauthor=False) / kind).glob(".*.part"):
            with suppress(OSError):
                if now - each.stat().st_mtime > _FORGOTTEN_SECONDS:
                    _remove(each)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()
