"""What can be chosen, and how it is kept."""

from __future__ import annotations

import json

import pytest

from inference.systems.base import Context
from viewer.mouse import Drag, MouseMap, Turn, mouse_rows
from viewer.options import Choices, Scheme, asked_for, read_choices
from viewer.session import LayerStyle

CHANGED = Choices(
    device="cpu", streams="shared", recogniser_ct="one", recogniser_xray="two", threads=3,
    batch_size=2, scheme=Scheme.LIGHT, safe_colours=True, opacity=0.7, style=LayerStyle.OUTLINE,
    export_folder="/out", keys={"invert": ("Ctrl+I",), "reset": ()},
    mouse=MouseMap(left=Drag.PAN, shift_wheel=Turn.ZOOM),
)  # fmt: skip


def test_what_is_written_is_read() -> None:
    assert read_choices(CHANGED.written()) == CHANGED


def test_defaults_are_not_written() -> None:
    assert Choices().written() == "{}"
    assert json.loads(Choices(mouse=MouseMap(left=Drag.PAN)).written()) == {
        "mouse": {"left": "pan"}
    }


@pytest.mark.parametrize(
    "text",
    [
        "", "no json", "[]", "null", "7", '{"gone": 1}', '{"device": "toaster"}',
        '{"threads": -4}', '{"threads": "many"}', '{"batch_size": 7}', '{"opacity": 0}',
        '{"safe_colours": 1}', '{"keys": [1]}', '{"keys": {"reset": 5}}', '{"mouse": 3}',
        '{"mouse": {"left": "dance"}}', '{"scheme": "pink"}',
    ],
)  # fmt: skip
def test_what_is_damaged_is_as_at_first(text: str) -> None:
    assert read_choices(text) == Choices()


def test_what_is_damaged_takes_nothing_else_with_it() -> None:
    assert read_choices('{"threads": -4, "device": "cpu", "opacity": 1}') == Choices(
        device="cpu", opacity=1.0
    )


def test_an_analysis_is_asked_for_what_was_chosen_for_its_modality() -> None:
    ct, xray = (asked_for(CHANGED, Context(), modality) for modality in ("CT", "DX"))
    assert (ct.device, ct.streams, ct.recogniser, ct.batch_size) == ("cpu", "shared", "one", 2)
    assert xray.recogniser == "two"


def test_the_command_line_goes_before_the_settings() -> None:
    asked = asked_for(CHANGED, Context(device="cuda", recogniser="three"), "CT")
    assert (asked.device, asked.recogniser, asked.streams) == ("cuda", "three", "shared")


def test_the_help_page_says_what_the_mouse_does_now() -> None:
    rows = dict(mouse_rows(MouseMap(middle=Drag.NOTHING, ctrl_wheel=Turn.TEN_SLICES)))
    assert "Middle drag" not in rows
    assert rows["Ctrl + wheel"] == "Go through the slices, ten at a time"
    assert rows["Left drag"].startswith("The chosen tool")
