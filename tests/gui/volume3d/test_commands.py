"""The commands of the 3D pane: off without one, and heard by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import pytest

from viewer.actions import Command, Doings, commands
from viewer.declaring import ThreeD


def deaf(**others: Callable[..., object]) -> Doings:
    """Make what commands ask, where nobody hears them."""

    def nothing(*_: object) -> None:
        return None

    return Doings(**{**{field.name: nothing for field in fields(Doings)}, **others})


@pytest.fixture
def declared(session) -> Callable[[Callable[[], ThreeD | None]], dict[str, Command]]:
    """Declare every command of a window with or without a 3D pane."""

    def declare(three_d: Callable[[], ThreeD | None]) -> dict[str, Command]:
        found = commands(session, deaf(three_d=three_d))
        return {each.id: each for each in found if each.menu == "3D"}

    return declare


def test_without_a_pane_they_are_off(declared):
    found = declared(lambda: None)
    assert len(found) == 9
    assert not any(command.enabled() for command in found.values())
    for command in found.values():
        command.do()


@pytest.mark.parametrize(
    ("view", "azimuth", "elevation"),
    [("anterior", 0, 0), ("posterior", 180, 0), ("left", 90, 0), ("right", -90, 0),
     ("head", 180, 90), ("feet", 0, -90)],
)  # fmt: skip
def test_each_side_has_one(declared, pane, view, azimuth, elevation):
    command = declared(lambda: pane)[f"3d-{view}"]
    assert command.enabled()
    command.do()
    assert (pane.canvas.camera.azimuth, pane.canvas.camera.elevation) == (azimuth, elevation)


def test_what_is_on_is_checked(declared, show, pane, sharp):
    show()
    sharp()
    found = declared(lambda: pane)
    for name in ("3d-box", "3d-turntable"):
        command = found[name]
        assert not command.checked()
        command.do()
        assert command.checked()
    found["3d-reset"].do()
    assert not found["3d-turntable"].checked()


def test_no_two_commands_have_the_same_key(session):
    keys = [key for command in commands(session, deaf()) for key in command.keys]
    assert len(keys) == len(set(keys))
