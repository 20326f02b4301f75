"""highdicom's table of the standard, read without keeping every other thread waiting.

The first object that highdicom makes needs a JSON file of 22 MB. Read in one call, it keeps the
interpreter to itself for a quarter of a second, a window beside it stands still, and a hundred
thousand objects stay in memory. Here it is read module by module, and only what is asked for stays.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

__all__ = ["Table", "read_tables"]

_decoder = json.JSONDecoder()
_space = re.compile(r"[ \t\n\r]*")


class Table(Mapping[str, Any]):
    """A JSON object whose values are made when they are asked for.

    Parameters
    ----------
    text
        The JSON.

    Raises
    ------
    ValueError
        When it is no JSON object.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._places: dict[str, int] = {}
        self._made: dict[str, Any] = {}
        at = _skip(text, _expect(text, 0, "{"))
        while text[at : at + 1] != "}":
            name, at = _decoder.raw_decode(text, at)
            at = _skip(text, _expect(text, at, ":"))
            self._places[name] = at
            _, at = _decoder.raw_decode(text, at)
            at = _skip(text, at)
            if text[at : at + 1] != "}":
                at = _skip(text, _expect(text, at, ","))

    def __getitem__(self, name: str) -> Any:
        """Return the value of a name."""
        if name not in self._made:
            self._made[name], _ = _decoder.raw_decode(self._text, self._places[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._places)

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self._places)


def _skip(text: str, at: int) -> int:
    found = _space.match(text, at)
    return at if found is None else found.end()


def _expect(text: str, at: int, mark: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != mark:
        raise ValueError(f"no {mark} at {at}")
    return at + 1


@lru_cache(maxsize=1)
def read_tables() -> None:
    """Read the table; highdicom keeps it. Nothing happens where it keeps it elsewhere."""
    try:
        tables: Any = importlib.import_module("highdicom._standard_utils")
        whole, read = tables.json, tables.get_module_attribute_map
    except (ImportError, AttributeError):
        # Another release: it will read the table itself, all at once.
        return
    tables.json = SimpleNamespace(loads=Table)
    try:
        read()
    finally:
        tables.json = whole
