"""The findings' colours, from the theme's tokens."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files

from inference.findings import Manifestation

__all__ = ["RGB", "findings_colours"]

RGB = tuple[int, int, int]


@lru_cache(maxsize=2)
def findings_colours(palette: str = "paper") -> dict[Manifestation, RGB]:
    """Red, green and blue, 0 to 255, of each manifestation.

    Parameters
    ----------
    palette
        ``"paper"`` (the published system's colours) or ``"safe"`` (for the colour-blind).
    """
    tokens = json.loads((files("resources") / "theme" / "tokens.json").read_text("utf-8"))
    stated = tokens["findings"][palette]
    return {key: _rgb(stated[key.value]) for key in Manifestation}


def _rgb(text: str) -> RGB:
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return red, green, blue
