"""Window presets in HU, from one resources file."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from inference.studies.model import Window

__all__ = ["load_presets"]


@cache
def load_presets() -> tuple[Window, ...]:
    """Presets for CT in the order of their keys, from ``resources/presets.json``."""
    text = (files("resources") / "presets.json").read_text(encoding="utf-8")
    return tuple(
        Window(float(entry["centre"]), float(entry["width"]), str(entry["name"]))
        for entry in json.loads(text)
    )
