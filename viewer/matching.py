"""How well a command fits what was typed: pure, so that the order can be tested."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from viewer.actions import Command

__all__ = ["best", "fit"]

_START, _WORD, _RUN, _LATE = 8.0, 6.0, 7.0, 0.05
"""Points for a letter at the start of the text, at the start of a word, and right after the last
one; taken off for each letter further back."""

_WEIGHTS = (3.0, 2.0, 1.0, 0.6)
"""Of a find in the text, the keys, the menu and the tip."""


def fit(typed: str, text: str) -> float | None:
    """Say how well letters fit a text in which they must occur in order, not one after the other.

    Parameters
    ----------
    typed
        What was typed; spaces and case do not count.
    text
        What is searched.

    Returns
    -------
    float or None
        More is better; None when they do not all occur in order, or nothing was typed.

    Examples
    --------
    >>> fit("of", "Open files") > fit("of", "Whole window, off")
    True
    >>> fit("xyz", "Open files") is None
    True
    """
    letters = "".join(typed.casefold().split())
    folded = text.casefold()
    best_of_all: float | None = None
    # The first letter may stand in several places, and a later one may fit better.
    starts = [i for i, each in enumerate(folded) if letters and each == letters[0]]
    for start in starts:
        points = _points(letters, folded, start)
        if points is not None and (best_of_all is None or points > best_of_all):
            best_of_all = points
    return best_of_all


def _points(letters: str, text: str, start: int) -> float | None:
    points, at, last = 0.0, start, -2
    for letter in letters:
        found = text.find(letter, at)
        if found < 0:
            return None
        # The start of a later word is a better place than the middle of this one.
        word = text.find(f" {letter}", at)
        if found != last + 1 and word >= 0 and found > 0 and text[found - 1] != " ":
            found = word + 1
        if found == 0:
            points += _START
        elif text[found - 1] in " -/+(":
            points += _WORD
        elif found == last + 1:
            points += _RUN
        else:
            points += 1.0
        points -= _LATE * found
        last, at = found, found + 1
    return points


def best(
    typed: str, commands: Iterable[tuple[Command, tuple[str, ...]]], recent: tuple[str, ...] = ()
) -> list[Command]:
    """Put the commands that fit in order, the best first.

    Parameters
    ----------
    typed
        Empty: all of them, those used last first, then as declared.
    commands
        Each with its keys.
    recent
        Ids of those used last, the last one first.
    """
    pairs = list(commands)
    if not typed.strip():
        place = {name: index for index, name in enumerate(recent)}
        return sorted((c for c, _ in pairs), key=lambda c: place.get(c.id, len(place)))
    ranked: list[tuple[float, int, Command]] = []
    for index, (command, keys) in enumerate(pairs):
        places = (command.text, " ".join(keys), command.menu, command.tip)
        found = [
            weight * points
            for weight, text in zip(_WEIGHTS, places, strict=True)
            # Scattered letters fit almost any sentence: a tip must hold the words themselves.
            if (points := _of_place(typed, text, whole=text is command.tip)) is not None
        ]
        if found:
            ranked.append((-max(found), index, command))
    return [command for _, _, command in sorted(ranked, key=lambda each: each[:2])]


def _of_place(typed: str, text: str, *, whole: bool) -> float | None:
    folded = text.casefold()
    if whole and not all(word in folded for word in typed.casefold().split()):
        return None
    if whole:
        return float(len("".join(typed.split())))
    return fit(typed, text)
