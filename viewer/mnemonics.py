"""Letters by which menus and their entries are chosen with the keyboard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["with_mnemonics"]


def with_mnemonics(texts: Sequence[str]) -> tuple[str, ...]:
    """Mark a letter in each text, a different one in each as far as there are enough.

    Who comes first has its first letter; the others the first letter of a word that is free, or
    else any that is. Digits are left out, since ``Alt`` and a digit lay the panes out.

    Parameters
    ----------
    texts
        Of one menu, or of the menu bar; without marks.

    Returns
    -------
    tuple of str
        The texts with "&" before the letter, as Qt wants it.

    Examples
    --------
    >>> with_mnemonics(["File", "Find", "3D", "Fi"])
    ('&File', 'F&ind', '3&D', 'Fi')
    """
    taken: dict[str, int] = {}
    places: dict[int, int] = {}
    for wanted in (_first, _of_words, _any):
        for number, text in enumerate(texts):
            if number in places:
                continue
            for at in wanted(text):
                letter = text[at].casefold()
                if letter not in taken:
                    taken[letter] = number
                    places[number] = at
                    break
    return tuple(_marked(text, places.get(number)) for number, text in enumerate(texts))


def _letters(text: str) -> Iterator[int]:
    # Letters of other scripts than the keyboard's cannot be pressed everywhere.
    return (at for at, sign in enumerate(text) if sign.isascii() and sign.isalpha())


def _first(text: str) -> Iterator[int]:
    return (at for at in _letters(text) if at == 0)


def _of_words(text: str) -> Iterator[int]:
    return (at for at in _letters(text) if at == 0 or not text[at - 1].isalpha())


def _any(text: str) -> Iterator[int]:
    return _letters(text)


def _marked(text: str, at: int | None) -> str:
    """Write "&" as Qt does, doubled where it stands for itself."""
    if at is None:
        return text.replace("&", "&&")
    return f"{text[:at].replace('&', '&&')}&{text[at:].replace('&', '&&')}"
