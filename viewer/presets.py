"""Window presets in HU: those of one resources file, and what the reader made of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from inference.studies.model import VoiFunction, Window

__all__ = ["OWN", "PRESETS", "Presets", "load_presets", "presets_from", "presets_with", "written"]

PRESETS = 9
"""So many presets, one a figure key."""
OWN = (8, 9)
"""Those that are the reader's own from the first: nothing is in them."""

Presets = tuple[Window | None, ...]
"""Length `PRESETS`; None where there is none."""


@cache
def load_presets() -> tuple[Window, ...]:
    """Presets for CT in the order of their keys, from ``resources/presets.json``."""
    text = (files("resources") / "presets.json").read_text(encoding="utf-8")
    return tuple(
        Window(float(entry["centre"]), float(entry["width"]), str(entry["name"]))
        for entry in json.loads(text)
    )


def presets_with(changed: Mapping[int, Window]) -> Presets:
    """Give all presets, with those that the reader made or changed, by number from 1."""
    shipped = load_presets()
    return tuple(
        changed.get(number) or (shipped[number - 1] if number <= len(shipped) else None)
        for number in range(1, PRESETS + 1)
    )


def written(changed: Mapping[int, Window]) -> dict[str, list[Any]]:
    """Write what the reader made or changed, for the settings."""
    return {
        str(number): [window.name, window.centre, window.width, window.function.value]
        for number, window in sorted(changed.items())
    }


def presets_from(value: Mapping[str, Any]) -> dict[int, Window]:
    """Read what `written` wrote; entries that are no windows are left out."""
    found: dict[int, Window] = {}
    for number, entry in value.items():
        try:
            name, centre, width, function = entry
            window = Window(float(centre), float(width), str(name), VoiFunction(function))
            place = int(number)
        except (TypeError, ValueError):
            continue
        sound = math.isfinite(window.centre) and math.isfinite(window.width) and window.width >= 1
        if sound and 1 <= place <= PRESETS:
            found[place] = window
    return found
