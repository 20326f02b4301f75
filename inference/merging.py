"""One list out of two that were changed apart, where it is known what both began with."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

__all__ = ["merged"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def merged(base: Mapping[K, V], mine: Mapping[K, V], theirs: Mapping[K, V]) -> dict[K, V]:
    """Do to theirs what was done to mine since both were the base.

    What only one side added, changed or deleted is added, changed or deleted. Where both did
    something to the same entry, mine is the newer one and holds.

    Examples
    --------
    >>> merged({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 9, "d": 4}, {"a": 5, "b": 2, "c": 3, "e": 6})
    {'a': 5, 'b': 9, 'e': 6, 'd': 4}
    """
    result = dict(theirs)
    for key in (*base, *(key for key in mine if key not in base)):
        if key not in mine:
            result.pop(key, None)
        elif key not in base or mine[key] != base[key]:
            result[key] = mine[key]
    return result
