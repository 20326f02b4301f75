"""Window presets."""

from __future__ import annotations

from viewer.presets import load_presets


def test_the_radiology_presets_are_there_in_the_order_of_their_keys():
    assert [(p.name, p.width, p.centre) for p in load_presets()] == [
        ("Lung", 1500.0, -600.0),
        ("Mediastinum", 400.0, 40.0),
        ("Bone", 2000.0, 350.0),
        ("Soft tissue", 350.0, 50.0),
    ]
