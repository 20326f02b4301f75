"""Layouts and panes as plain data, and the file that names them."""

from __future__ import annotations

import pytest

from viewer.hanging import OWN_WINDOW, load_layouts, rule_for
from viewer.layouts import from_text, to_text
from viewer.panes import Content, Layout, Pane, Slab, SlabMode, Turn, fill
from viewer.presets import load_presets


def test_a_layout_knows_its_panes_column_by_column():
    layout = Layout("x", ((Content.AXIAL,), (Content.CORONAL, Content.SAGITTAL)))
    assert layout.count == 3
    assert layout.contents == (Content.AXIAL, Content.CORONAL, Content.SAGITTAL)
    other = layout.showing([Content.STACK, Content.AXIAL, Content.AXIAL])
    assert other.columns == ((Content.STACK,), (Content.AXIAL, Content.AXIAL))


@pytest.mark.parametrize("columns", [(), ((),), ((Content.AXIAL,) * 4,) * 2])
def test_a_layout_that_cannot_be_shown_is_refused(columns):
    with pytest.raises(ValueError, match=r"at (least|most)"):
        Layout("x", columns)


def test_a_pane_that_stays_keeps_how_it_shows_it():
    thick = Pane(Content.AXIAL, Slab(SlabMode.MEAN, 5.0), Turn(1))
    layout = Layout("x", ((Content.CORONAL,), (Content.AXIAL, Content.AXIAL)))
    assert fill(layout, [thick]) == (Pane(Content.CORONAL), thick, Pane(Content.AXIAL))


def test_layouts_of_the_program_can_be_told_apart():
    named = load_layouts()
    assert len({each.id for each in named}) == len({each.key for each in named}) == len(named)
    assert len({each.layout.columns for each in named}) == len(named)


@pytest.mark.parametrize("modality", ["CT", "CR", "DX", "OT", "unheard of"])
def test_every_rule_names_what_there_is(modality):
    rule = rule_for(modality)
    assert modality in rule.modalities
    assert rule.layout in {each.id for each in load_layouts()}
    assert rule.window in {OWN_WINDOW, *(preset.name for preset in load_presets())}


def test_a_layout_survives_being_written():
    layout = Layout("Mine", ((Content.AXIAL,), (Content.CORONAL, Content.STACK)))
    assert from_text(to_text(layout)) == layout


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"name": "x"}', '{"name": "x", "columns": [["oblong"]]}',
             '{"name": "x", "columns": []}', '{"name": "x", "columns": 3}'],
)  # fmt: skip
def test_a_damaged_layout_is_none(text):
    assert from_text(text) is None
