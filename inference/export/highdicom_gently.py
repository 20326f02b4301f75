"""highdicom's table of the standard, read without keeping every other thread waiting.

The first object that highdicom makes needs a JSON file of 22 MB. Read in one call, it keeps the
interpreter to itself for a quarter of a second, a window beside it stands still, and a hundred
thousand objects stay in memory. Here it is cut into modules, and only those asked for are read.
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
_INDENT = '\n  "'
"""Begins a line with a name of the outermost object, and none else: a string has no line breaks."""
_beginning = re.compile(r'\{(?=\n  "|\s*\}\s*$)')


class Table(Mapping[str, Any]):
    r"""A JSON object whose values are read when they are asked for.

    Parameters
    ----------
    text
        The JSON, indented by two spaces a level as ``json.dumps(..., indent=2)`` does it. Of what
        stands between the names only the values that are asked for are looked at.

    Raises
    ------
    ValueError
        When it is no JSON object, or not indented so; or of `__getitem__`, when a value is none.
    """

    def __init__(self, text: str) -> None:
        if _beginning.match(text) is None or not text.rstrip().endswith("}"):
            raise ValueError("no JSON object that is indented by two spaces")
        self._text = text
        self._places: dict[str, int] = {}
        self._made: dict[str, Any] = {}
        at = text.find(_INDENT)
        while at >= 0:
            name, end = _decoder.raw_decode(text, at + len(_INDENT) - 1)
            if text[end : end + 2] != ": ":
                raise ValueError(f"no value at {end}")
            self._places[name] = end + 2
            at = text.find(_INDENT, end)

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


def _read(text: str) -> Any:
    try:
        return Table(text)
    except ValueError:
        return json.loads(text)


@lru_cache(maxsize=1)
def read_tables() -> None:
    """Read the table; highdicom keeps it. Nothing happens where it keeps it elsewhere."""
    try:
        tables: Any = importlib.import_module("highdicom._standard_utils")
        whole, read = tables.json, tables.get_module_attribute_map
    except (ImportError, AttributeError):
        # Another release: it will read the table itself, all at once.
        return
    tables.json = SimpleNamespace(loads=_read)
    try:
        read()
    finally:
        tables.json = whole
