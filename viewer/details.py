"""What "Copy details" copies: what helps to mend a fault, and nobody's name."""

from __future__ import annotations

import platform
from collections.abc import Iterable

import PySide6

import inference
from viewer.identity import without

__all__ = ["details"]


def details(kind: str, sentence: str, private: Iterable[str]) -> str:
    """Describe a message for a fault report.

    Parameters
    ----------
    kind, sentence
        The message.
    private
        Names, ids and paths to be kept out, whatever their case; whatever the sentence quotes
        (files, folders) is kept out too.

    Returns
    -------
    str
        The message without them, and versions of the program, Python, Qt and the system.
    """
    return (
        f"SecondRead {inference.__version__}\n"
        f"Python {platform.python_version()}, Qt {PySide6.__version__}, "
        f"{platform.system()} {platform.machine()}\n"
        f"{kind}: {without(sentence, private)}"
    )
