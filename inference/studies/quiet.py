"""Silence from third-party readers: what they warn of becomes a Problem or is of no use here."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

__all__ = ["quiet"]

_lock = Lock()
_depth = 0
_saved: warnings.catch_warnings[None] | None = None


@contextmanager
def quiet() -> Iterator[None]:
    """Ignore Python warnings while any thread is inside.

    `warnings.catch_warnings` restores the filters of the whole process, so that two threads which
    overlap would leave them wrong for good; the filters are therefore saved by the first to come
    and restored by the last to go.
    """
    global _depth, _saved  # noqa: PLW0603 - the filters are global to the process, too
    with _lock:
        if _depth == 0:
            _saved = warnings.catch_warnings()
            _saved.__enter__()
            warnings.simplefilter("ignore")
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0 and _saved is not None:
                _saved.__exit__(None, None, None)
                _saved = None
