"""Window presets."""

from __future__ import annotations

import pytest

from inference.studies.model import VoiFunction, Window
from viewer.pane_commands import next_thickness
from viewer.presets import load_presets, presets_from, presets_with, written


def test_the_radiology_presets_are_there_in_the_order_of_their_keys():
    assert [(p.name, p.width, p.centre) for p in load_presets()] == [
        ("Lung", 1500.0, -600.0),
        ("Mediastinum", 400.0, 40.0),
        ("Bone", 2000.0, 350.0),
        ("Soft tissue", 350.0, 50.0),
        ("Angiography", 600.0, 300.0),
        ("Liver", 160.0, 60.0),
        ("Wide lung", 2000.0, -500.0),
    ]


def test_what_the_reader_made_is_kept_and_nonsense_is_left_out():
    own = {
        1: Window(-550.0, 1600.0, "My lung"),
        8: Window(0.0, 50.0, "Ascites", VoiFunction.SIGMOID),
    }
    assert presets_from(written(own)) == own
    nonsense = {
        "0": ["a", 0, 10, "LINEAR"], "10": ["a", 0, 10, "LINEAR"], "x": ["a", 0, 10, "LINEAR"],
        "8": ["a", 0, 0, "LINEAR"], "9": ["a", 0, 10, "CUBIC"], "7": [1, 2],
        "6": ["a", float("nan"), 10, "LINEAR"],
    }  # fmt: skip
    assert presets_from(nonsense) == {}


def test_there_are_nine_and_the_last_two_are_empty_at_first():
    first = presets_with({})
    assert len(first) == 9
    assert first[:7] == load_presets()
    assert first[7:] == (None, None)
    mine = Window(10.0, 100.0, "Mine")
    assert presets_with({2: mine})[1] == mine


@pytest.mark.parametrize(
    ("mm", "plane_mm", "steps", "wanted"),
    [
        (10.0, 1.25, 1, 11.25), (10.0, 1.25, -1, 8.75), (1.25, 1.25, -1, 1.25),
        (18.75, 1.25, 1, 20.0), (20.0, 1.25, 1, 30.0), (30.0, 1.25, -1, 20.0),
        (100.0, 1.25, 1, 100.0), (19.0, 3.0, 1, 20.0), (5.0, 40.0, 1, 20.0),
    ],
)  # fmt: skip
def test_slabs_go_plane_by_plane_up_to_20_mm(mm, plane_mm, steps, wanted):
    assert next_thickness(mm, plane_mm, steps) == pytest.approx(wanted)
