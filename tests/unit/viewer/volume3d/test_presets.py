"""Transfer functions."""

from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
import pytest

from viewer.volume3d.presets import GREY_RAMP, Preset, load_presets_3d


def opacity(name: str, hu: float) -> float:
    preset = next(p for p in load_presets_3d() if p.name == name)
    values, levels = zip(*preset.opacity, strict=True)
    return float(np.interp(hu, values, levels))


def test_the_presets_are_offered_in_this_order_and_say_where_they_come_from():
    assert [p.name for p in load_presets_3d()] == ["Lung", "Airway", "Bone", "Soft tissue"]
    text = (files("resources") / "presets_3d.json").read_text(encoding="utf-8")
    assert json.loads(text)["source"]
    assert all(preset.tip for preset in load_presets_3d())


@pytest.mark.parametrize(
    ("name", "seen", "hidden"),
    [
        ("Lung", [-850, -600, -400], [-1000, 0, 50, 700]),
        ("Airway", [-1000, -980], [-850, 0, 700]),
        ("Bone", [200, 700, 2000], [-1000, -850, 0, 60]),
        ("Soft tissue", [30, 60, 700], [-1000, -850]),
    ],
)
def test_a_preset_shows_its_tissue_and_hides_the_others(name, seen, hidden):
    assert min(opacity(name, hu) for hu in seen) > 0
    assert max(opacity(name, hu) for hu in hidden) == 0


def test_only_what_air_around_the_body_would_hide_is_shown_inside_it_alone():
    assert {p.name for p in load_presets_3d() if p.inside} == {"Lung", "Airway"}
    assert not GREY_RAMP.inside


GOOD = ((0.0, 0.0), (1.0, 1.0))
RED = ((0.0, (0.0, 0.0, 0.0)), (1.0, (1.0, 0.0, 0.0)))


@pytest.mark.parametrize(
    ("points", "colour"),
    [
        (((0.0, 0.0), (0.0, 1.0)), RED),
        (((0.0, 0.5),), RED),
        (((0.0, 0.0), (1.0, 1.5)), RED),
        (((0.0, 0.0), (1.0, 0.0)), RED),
        (GOOD, ((0.0, (0.0, 0.0, 0.0)), (1.0, (2.0, 0.0, 0.0)))),
    ],
)
def test_what_is_no_transfer_function_is_refused(points, colour):
    Preset("good", "", GOOD, RED)
    with pytest.raises(ValueError, match="bad"):
        Preset("bad", "", points, colour)
