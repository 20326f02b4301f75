"""What happens to a fault that nobody foresaw: a log without identifiers, and a sentence."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from platformdirs import user_log_path

__all__ = ["Once", "log_file", "record"]

_MOST_BYTES: Final = 512 * 1024
"""A log grown beyond this is begun anew."""


def log_file() -> Path:
    """Where faults are written down."""
    return user_log_path("secondread", appauthor=False) / "secondread.log"


def record(
    error: BaseException,
    doing: str,
    *,
    ended: str = "stopped on an unforeseen fault",
    part: str = "",
) -> str:
    """Write a fault to the log and say so.

    Parameters
    ----------
    error
        What was raised. Its type and its frames are written, its text is not: the text may quote a
        header or a path, and so a patient.
    doing
        What was under way, e.g. ``"The command"``; it begins the sentence.
    ended
        What became of it; true, since a window that goes on has not stopped.
    part
        Of what was under way, for the log alone.

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
    said = f"{doing} {ended} ({type(error).__name__})"
    what = f"{doing}: {part}" if part else doing
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = "w" if path.exists() and path.stat().st_size > _MOST_BYTES else "a"
        with path.open(mode, encoding="utf-8") as log:
            log.write(f"{now} {what}: {type(error).__name__}\n{frames}")
    except OSError:
        return f"{said}."
    return f"{said}; the technical details are in {path}."


class Once:
    """Writes each fault to the log once, however often it comes back."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str, str, int | None], str] = {}

    def record(
        self, error: BaseException, doing: str, *, ended: str, part: str = ""
    ) -> tuple[str, bool]:
        """As `record`; a fault of the same part, type and line is known already.

        Returns
        -------
        str, bool
            The sentence, and whether the fault is new.
        """
        frames = traceback.extract_tb(error.__traceback__)
        file, line = (frames[-1].filename, frames[-1].lineno) if frames else ("", None)
        key = (part, type(error).__name__, file, line)
        is_new = key not in self._said
        if is_new:
            self._said[key] = record(error, doing, ended=ended, part=part)
        return self._said[key], is_new
