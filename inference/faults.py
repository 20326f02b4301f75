"""What happens to a fault that nobody foresaw: a log without identifiers, and a sentence."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from platformdirs import user_log_path

__all__ = ["log_file", "record"]

_MOST_BYTES: Final = 512 * 1024
"""A log grown beyond this is begun anew."""


def log_file() -> Path:
    """Where faults are written down."""
    return user_log_path("secondread", appauthor=False) / "secondread.log"


def record(error: BaseException, doing: str) -> str:
    """Write a fault to the log and say so.

    Parameters
    ----------
    error
        What was raised. Its type and its frames are written, its text is not: the text may quote a
        header or a path, and so a patient.
    doing
        What was under way, e.g. ``"The command"``; it begins the sentence.

    Returns
    -------
    str
        A sentence for the reader.
    """
    frames = "".join(
        f"  {Path(frame.filename).name}:{frame.lineno} {frame.name}\n"
        for frame in traceback.extract_tb(error.__traceback__)
    )
    now = datetime.now(UTC).isoformat(timespec="seconds")
    path = log_file()
    said = f"{doing} stopped on an unforeseen fault ({type(error).__name__})"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = "w" if path.exists() and path.stat().st_size > _MOST_BYTES else "a"
        with path.open(mode, encoding="utf-8") as log:
            log.write(f"{now} {doing}: {type(error).__name__}\n{frames}")
    except OSError:
        return f"{said}."
    return f"{said}; the technical details are in {path}."
