"""The errors that reach a person: each message is one sentence that says what to do."""

from __future__ import annotations

__all__ = [
    "AnalysisError",
    "BadInputError",
    "CancelledError",
    "ExportRefusedError",
    "OutsideDomainError",
    "SecondReadError",
]


class SecondReadError(Exception):
    """Base of all errors whose text is written for the reader (exit status 1).

    The text must hold no patient identifier; file names are allowed, since the reader chose them.
    """


class BadInputError(SecondReadError):
    """What was opened cannot be used, and the sentence says why (exit status 2)."""


class OutsideDomainError(BadInputError):
    """What was opened holds no picture that could show a chest (exit status 2)."""


class AnalysisError(SecondReadError):
    """An analysis failed; no result is left behind."""


class ExportRefusedError(SecondReadError):
    """An export would have been wrong or invalid; the sentence names the alternative."""


class CancelledError(SecondReadError):
    """The reader pressed Cancel."""

    def __init__(self, message: str = "Cancelled.") -> None:
        super().__init__(message)
