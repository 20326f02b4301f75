"""Masks, heatmaps and what is said of them in the slice view, judged by its pixels.

The view is 400 by 400 and the picture 16 by 16, so a fitted picture pixel is 25 by 25.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.findings import Energy, Manifestation
from tests.gui.viewport.seeing import SIDE, at, is_coloured, one_pixel
from viewer import theme
from viewer.session import HeatmapChoice, Layer, LayerStyle


@pytest.mark.parametrize("key", list(Manifestation))
def test_a_mask_colours_its_own_pixel_and_no_other(view, session, show, analysed, seen, key):
    show()
    plain = seen(view)
    analysed({key: one_pixel(session, 6, 4)})
    session.update_layer(Layer(key, opacity=1.0))
    image = seen(view)
    changed = (image != plain).any(axis=-1)
    changed[13 * SIDE :] = False  # the legend
    expected = np.zeros_like(changed)
    expected[6 * SIDE : 7 * SIDE, 4 * SIDE : 5 * SIDE] = True
    assert np.array_equal(changed, expected)
    colour = theme.findings_colour(key)
    assert at(image, 4, 6).tolist() == [colour.red(), colour.green(), colour.blue()]


def test_opacity_lets_the_picture_through(view, session, show, analysed, seen):
    show()
    grey = at(seen(view), 4, 6)
    analysed({Manifestation.EFFUSION: one_pixel(session, 6, 4)})
    session.update_layer(Layer(Manifestation.EFFUSION, opacity=0.25))
    colour = theme.findings_colour(Manifestation.EFFUSION)
    rgb = np.array([colour.red(), colour.green(), colour.blue()])
    assert np.abs(at(seen(view), 4, 6) - (0.75 * grey + 0.25 * rgb)).max() <= 1


def test_an_outline_leaves_the_inside_free(view, session, show, analysed, seen):
    show()
    mask = np.zeros(session.volume.shape, bool)
    mask[3, 5:10, 4:9] = True
    analysed({Manifestation.CONSOLIDATION: mask})
    session.update_layer(Layer(Manifestation.CONSOLIDATION, style=LayerStyle.OUTLINE))
    coloured = is_coloured(seen(view))
    assert coloured[5 * SIDE, 4 * SIDE : 9 * SIDE].all()
    assert coloured[10 * SIDE - 1, 4 * SIDE : 9 * SIDE].all()
    assert not coloured[6 * SIDE : 9 * SIDE, 5 * SIDE : 8 * SIDE].any()
    assert not coloured[: 5 * SIDE].any()


def test_fill_and_outline_together_have_the_stronger_edge(view, session, show, analysed, seen):
    show()
    mask = np.zeros(session.volume.shape, bool)
    mask[3, 5:10, 4:9] = True
    analysed({Manifestation.CONSOLIDATION: mask})
    session.update_layer(Layer(Manifestation.CONSOLIDATION, style=LayerStyle.BOTH, opacity=0.4))
    image = seen(view)
    edge, inside = image[5 * SIDE, 6 * SIDE], at(image, 6, 7)
    assert is_coloured(edge)
    assert is_coloured(inside)
    assert edge[0] - edge[1] > inside[0] - inside[1] + 20


def test_the_legend_names_what_is_to_be_seen_on_the_slice(view, session, show, analysed, seen):
    show()
    ggo, effusion = Manifestation.GGO, Manifestation.EFFUSION
    analysed({ggo: one_pixel(session, 6, 4), effusion: np.zeros(session.volume.shape, bool)})
    assert view.annotations().legend == (ggo,)
    session.update_layer(Layer(ggo, opacity=0.0))
    colour = theme.findings_colour(ggo)
    chips = (seen(view) == [colour.red(), colour.green(), colour.blue()]).all(axis=-1)
    assert chips.sum() > 30
    session.step(1)
    assert view.annotations().legend == ()
    session.step(-1)
    session.toggle_overlays()
    assert view.annotations().legend == ()


def test_the_probe_tells_what_was_said_of_the_slice(view, session, show, analysed, mouse):
    show()
    # Not the middle one, whose index is the same counted from the other end.
    per_slice = np.full((7, 3), np.nan)
    per_slice[1] = (0.91, 0.25, 0.05)
    per_slice[4] = (0.11, 0.22, 0.33)
    analysed(per_slice=per_slice)
    mouse.move(view, (100, 100))
    for slice_, said in (
        (1, "slice: GGO 0.91  Consolidation 0.25  Effusion 0.05"),
        (4, "slice: GGO 0.11  Consolidation 0.22  Effusion 0.33"),
        (5, "slice not analysed"),
        (2, "slice not analysed"),
    ):
        session.set_position(slice_)
        assert view.annotations().bottom_right[2].text == said


def test_an_unknown_spacing_is_marked(view, show):
    show(has_geometry=False, has_orientation=False)
    assert "spacing unknown" in [line.text for line in view.annotations().bottom_right]
    show(series_uid="1.2.3")
    assert "spacing unknown" not in [line.text for line in view.annotations().bottom_right]


def test_a_heatmap_is_drawn_from_its_threshold_on(view, session, show, heat, seen):
    show()
    plain = seen(view)
    session.choose_heatmap(HeatmapChoice("covid-2", "covid-19"))
    session.set_heatmap(session.volume.series_uid, heat)
    assert not np.array_equal(at(seen(view), 6, 6), at(plain, 6, 6))
    session.set_heatmap_threshold(0.8)
    image = seen(view)
    assert np.array_equal(at(image, 6, 6), at(plain, 6, 6))
    assert not np.array_equal(at(image, 15, 6), at(plain, 15, 6))


def test_hidden_layers_and_hidden_overlays_are_not_drawn(view, session, show, analysed, seen):
    show()
    plain = seen(view)
    analysed({Manifestation.GGO: one_pixel(session, 6, 4)})
    assert is_coloured(seen(view)).any()
    session.update_layer(Layer(Manifestation.GGO, visible=False))
    # Above the corner that says what is hidden.
    assert np.array_equal(seen(view)[:320], plain[:320])
    session.update_layer(Layer(Manifestation.GGO))
    session.toggle_overlays()
    assert np.array_equal(seen(view)[:320], plain[:320])


def test_a_mask_is_shown_on_its_own_slice_only(view, session, show, analysed, seen):
    show()
    analysed({Manifestation.GGO: one_pixel(session, 6, 4)})
    session.step(1)
    assert not is_coloured(seen(view)).any()
    session.step(-1)
    assert is_coloured(at(seen(view), 4, 6))


def test_the_heatmap_is_drawn_only_while_the_session_has_one(view, session, show, heat, seen):
    show()
    plain = seen(view)
    session.choose_heatmap(HeatmapChoice("covid-2", "covid-19"))
    assert np.array_equal(seen(view), plain)
    assert view.annotations().heatmap == ""
    session.set_heatmap(session.volume.series_uid, heat)
    image = seen(view)
    assert view.annotations().heatmap == "COVID-19"
    assert is_coloured(at(image, 12, 6))
    assert at(image, 0, 6).tolist() == at(plain, 0, 6).tolist()
    session.set_heatmap_opacity(0.0)
    assert at(seen(view), 12, 6).tolist() == at(plain, 12, 6).tolist()
    session.set_heatmap_opacity(1.0)
    session.toggle_overlays()
    assert np.array_equal(seen(view), plain)
    session.toggle_overlays()
    session.step(1)
    assert not is_coloured(seen(view)).any()
    assert view.annotations().heatmap == ""


def test_the_picture_warns_when_most_of_the_heat_lies_outside_the_lungs(view, session, show, heat):
    show()
    session.choose_heatmap(HeatmapChoice("covid-2", "covid-19"))

    def notes(lungs):
        session.set_heatmap(session.volume.series_uid, replace(heat, lungs=lungs))
        return [(line.text, line.colour) for line in view.annotations().heatmap_notes]

    figure = ("Heat inside the lungs: 28 % (an even map: 40 %)", "text")
    assert notes(Energy(0.28, 0.4)) == [
        ("Most of the heat lies outside the lungs (72 %):", "warning"),
        ("the model may be looking at something else.", "warning"),
        figure,
    ]
    session.toggle_overlays()
    assert view.annotations().heatmap_notes == ()
    session.toggle_overlays()
    session.step(1)
    assert view.annotations().heatmap_notes == ()
    session.step(-1)
    assert [colour for _, colour in notes(Energy(0.6, 0.4))] == ["text"]
    assert notes(None) == []


def test_the_exported_picture_carries_the_warning(view, session, show, heat, pixels):
    view.resize(700, 500)
    show()
    session.choose_heatmap(HeatmapChoice("covid-2", "covid-19"))

    def amber(lungs):
        """How many pixels are of the colour of warnings; the heat itself is made transparent."""
        session.set_heatmap(session.volume.series_uid, replace(heat, lungs=lungs))
        session.set_heatmap_opacity(0.0)
        image = pixels(view.picture())
        return (image[..., 0] - image[..., 2] > 60).sum()

    assert amber(Energy(0.28, 0.4)) > amber(Energy(0.6, 0.4)) > 0


def test_another_volume_does_not_inherit_overlays(view, session, show, analysed, heat, seen):
    show()
    analysed({Manifestation.GGO: one_pixel(session, 6, 4)})
    session.choose_heatmap(HeatmapChoice("covid-2", "covid-19"))
    session.set_heatmap(session.volume.series_uid, heat)
    show(array=np.full((7, 32, 20), -500, np.int16), series_uid="9.9")
    assert not is_coloured(seen(view)).any()
