"""How much memory this process has, once it has given back what it can (Linux)."""

from __future__ import annotations

import ctypes
import ctypes.util
import gc
import os
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent

__all__ = ["memory_mb"]


def memory_mb() -> float:
    """Memory of this process after everything that can be given back has been."""
    # Widgets that are to be deleted later are, where the program's own loop would do it.
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
    libc = ctypes.util.find_library("c")
    if libc is not None:
        ctypes.CDLL(libc).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
