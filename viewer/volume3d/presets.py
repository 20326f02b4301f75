"""How values become opacity and colour in 3D: presets in HU, and a grey ramp for the rest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise

__all__ = ["GREY_RAMP", "Preset", "load_presets_3d"]


@dataclass(frozen=True, slots=True)
class Preset:
    """A transfer function.

    Parameters
    ----------
    name, tip
        For the reader.
    opacity
        (value, opacity of a millimetre of it), values ascending, opacities in [0, 1]; straight
        lines in between, constant beyond the ends.
    colour
        (value, (red, green, blue) in [0, 1]), in the same way.
    inside
        Applied to what lies inside the body alone: air around it, and half a centimetre of skin,
        would hide the lungs.

    Raises
    ------
    ValueError
        When the numbers are no transfer function.
    """

    name: str
    tip: str
    opacity: tuple[tuple[float, float], ...]
    colour: tuple[tuple[float, tuple[float, float, float]], ...]
    inside: bool = False

    def __post_init__(self) -> None:
        for points in (self.opacity, self.colour):
            values = [point[0] for point in points]
            if len(values) < 2 or any(b <= a for a, b in pairwise(values)):
                raise ValueError(f"{self.name}: values must ascend, and be two at least")
        levels = [level for _, level in self.opacity]
        levels += [channel for _, rgb in self.colour for channel in rgb]
        if not all(0.0 <= level <= 1.0 for level in levels):
            raise ValueError(f"{self.name}: opacities and colours lie between 0 and 1")
        if not any(level for _, level in self.opacity):
            raise ValueError(f"{self.name}: nothing would be seen")


GREY_RAMP = Preset(
    "Grey",
    "1st to 99th percentile of the values; this series has no Hounsfield units",
    ((150.0, 0.0), (500.0, 0.05), (1000.0, 0.4)),
    ((0.0, (0.0, 0.0, 0.0)), (1000.0, (1.0, 1.0, 1.0))),
)
"""For volumes without HU, whose 1st percentile is 0 and 99th 1000 (see `grid.prepare`)."""


def _rgb(text: str) -> tuple[float, float, float]:
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return red / 255, green / 255, blue / 255


@cache
def load_presets_3d() -> tuple[Preset, ...]:
    """Presets for CT in HU, in the order they are offered, from ``resources/presets_3d.json``."""
    text = (files("resources") / "presets_3d.json").read_text(encoding="utf-8")
    return tuple(
        Preset(
            str(entry["name"]),
            str(entry["tip"]),
            tuple((float(value), float(level)) for value, level in entry["opacity"]),
            tuple((float(value), _rgb(rgb)) for value, rgb in entry["colour"]),
            bool(entry["inside"]),
        )
        for entry in json.loads(text)["presets"]
    )
