"""What "Copy details" copies: what helps to mend a fault, and nobody's name."""

from __future__ import annotations

import platform
from collections.abc import Iterable

import PySide6

import inference

__all__ = ["details"]

_SHORTEST_PRIVATE = 2
"""Shorter words are parts of ordinary words; replacing them would only garble the text."""


def details(kind: str, sentence: str, private: Iterable[str]) -> str:
    """Describe a message for a fault report.

    Parameters
    ----------
    kind, sentence
        The message.
    private
        Names, ids and paths to be kept out, whatever their case.

    Returns
    -------
    str
        The message without them, and versions of the program, Python, Qt and the system.
    """
    for word in sorted(set(private), key=len, reverse=True):
        if len(word) >= _SHORTEST_PRIVATE:
            sentence = _without(sentence, word)
    return (
        f"SecondRead {inference.__version__}\n"
        f"Python {platform.python_version()}, Qt {PySide6.__version__}, "
        f"{platform.system()} {platform.machine()}\n"
        f"{kind}: {sentence}"
    )


def _without(text: str, word: str) -> str:
    """Replace every occurrence of a word, ignoring case."""
    folded, needle = text.casefold(), word.casefold()
    if len(folded) != len(text):
        # Folding changed the length (ß, ligatures): places no longer agree, so compare exactly.
        return text.replace(word, "‹…›")
    parts: list[str] = []
    start = 0
    while (at := folded.find(needle, start)) >= 0:
        parts += [text[start:at], "‹…›"]
        start = at + len(needle)
    return "".join([*parts, text[start:]])
