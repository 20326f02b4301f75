"""The errors that reach a person: each message is one sentence that says what to do."""

from __future__ import annotations

from typing import Final
from unicodedata import category

__all__ = [
    "AnalysisError",
    "BadInputError",
    "CancelledError",
    "ExportRefusedError",
    "NotWrittenError",
    "OutsideDomainError",
    "SecondReadError",
    "printable",
]

_UNSAID: Final = frozenset({"Cs", "Cc"})
"""Unicode's general categories of surrogates and control characters."""


def printable(text: str) -> str:
    """Return text that every screen, file and terminal takes.

    A file's name is bytes. Those that are no UTF-8 come in as surrogates (PEP 383), which cannot be
    written again as text; each becomes a replacement character. So do control characters of names
    and headers, some of which terminals obey, but for the ends of lines.
    """
    return "".join(
        "\ufffd" if category(each) in _UNSAID and each != "\n" else each for each in text
    )


class SecondReadError(Exception):
    """Base of all errors whose text is written for the reader (exit status 1).

    The text must hold no patient identifier; file names are allowed, since the reader chose them.
    """

    def __init__(self, sentence: str = "") -> None:
        super().__init__(printable(sentence))


class BadInputError(SecondReadError):
    """What was opened cannot be used, and the sentence says why (exit status 2)."""


class OutsideDomainError(BadInputError):
    """What was opened holds no picture that could show a chest (exit status 2)."""


class AnalysisError(SecondReadError):
    """An analysis failed; no result is left behind."""


class ExportRefusedError(SecondReadError):
    """An export would have been wrong or invalid; the sentence names the alternative."""


class NotWrittenError(ExportRefusedError):
    """A file or folder could not be written, or not be read back; what was there before stays."""


class CancelledError(SecondReadError):
    """The reader pressed Cancel."""

    def __init__(self, message: str = "Cancelled.") -> None:
        super().__init__(message)
