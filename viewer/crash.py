"""What happens to a fault nobody foresaw: a log without identifiers, and a sentence."""

from __future__ import annotations

import logging
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path

import platformdirs

__all__ = ["LOG_NAME", "log_file", "record"]

LOG_NAME = "secondread.log"
_LOGGER_NAME = "secondread.faults"
_LOG_BYTES = 512 * 1024


def log_file() -> Path:
    """Where faults are written down."""
    return Path(platformdirs.user_log_dir("secondread", appauthor=False)) / LOG_NAME


def record(error: BaseException, doing: str) -> str:
    """Write a fault to the log and say so.

    Parameters
    ----------
    error
        What was raised. Its type and its frames are written, its text is not: the text may quote a
        header or a path, and so a patient.
    doing
        What was under way, e.g. ``"Analysing"``; it becomes part of the sentence.

    Returns
    -------
    str
        A sentence for the reader.
    """
    frames = "".join(
        f"  {Path(frame.filename).name}:{frame.lineno} {frame.name}\n"
        for frame in traceback.extract_tb(error.__traceback__)
    )
    path = log_file()
    try:
        logger = _logger(path)
        logger.error("%s: %s\n%s", doing, type(error).__name__, frames)
    except OSError:
        return f"{doing} stopped on an unforeseen fault ({type(error).__name__})."
    return (
        f"{doing} stopped on an unforeseen fault ({type(error).__name__}); "
        f"the technical details are in {path}."
    )


def _logger(path: Path) -> logging.Logger:
    """Return the logger that writes to `path`; opened at the first fault, not at start-up."""
    logger = logging.getLogger(_LOGGER_NAME)
    wanted = str(path)
    if not any(getattr(handler, "baseFilename", "") == wanted for handler in logger.handlers):
        path.parent.mkdir(parents=True, exist_ok=True)
        for old in tuple(logger.handlers):
            logger.removeHandler(old)
            old.close()
        handler = RotatingFileHandler(
            path, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8", delay=True
        )
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        logger.addHandler(handler)
        logger.propagate = False
    return logger
