"""Keys as declared, and as the reader changed them."""

from __future__ import annotations

import pytest

from viewer.actions import Command
from viewer.keymap import KeyMap, written_key


def command(name: str, *keys: str) -> Command:
    """Make a command that does nothing."""
    return Command(name, name.title(), "", "View", lambda: None, keys)


COMMANDS = (command("invert", "I"), command("open", "Ctrl+O", "O"), command("bare"))


@pytest.fixture
def keymap() -> KeyMap:
    return KeyMap(COMMANDS)


def test_the_declared_keys_are_in_use_at_first(keymap: KeyMap) -> None:
    assert keymap.keys("invert") == ("I",)
    assert keymap.keys("open") == ("Ctrl+O", "O")
    assert keymap.keys("bare") == ()
    assert keymap.changed == {}
    with pytest.raises(KeyError):
        keymap.keys("gone")


def test_only_differences_are_kept(keymap: KeyMap) -> None:
    changed = keymap.with_keys("bare", ["ctrl+b"])
    assert changed.keys("bare") == ("Ctrl+B",)
    assert dict(changed.changed) == {"bare": ("Ctrl+B",)}
    assert dict(changed.with_keys("bare", []).changed) == {}
    assert dict(keymap.with_keys("open", ["Ctrl+O", "O"]).changed) == {}


def test_a_key_that_is_taken_is_refused_in_words(keymap: KeyMap) -> None:
    with pytest.raises(ValueError, match="I already runs “Invert” \\(View\\)"):
        keymap.with_keys("bare", ["i"])
    assert keymap.owner("i") is COMMANDS[0]


def test_a_key_that_was_let_go_can_be_used(keymap: KeyMap) -> None:
    freed = keymap.without_key("I")
    assert freed.keys("invert") == ()
    given = freed.with_keys("bare", ["I"])
    assert given.owner("I") is COMMANDS[2]
    with pytest.raises(ValueError, match="already runs “Bare”"):
        given.reset("invert")
    assert given.with_keys("bare", []).reset("invert").changed == {}


def test_what_was_kept_is_read_with_care() -> None:
    keymap = KeyMap(
        COMMANDS,
        {"gone": ("X",), "bare": ("I", "no such key", "Ctrl+B", "Ctrl+B"), "open": ("Ctrl+B",)},
    )
    assert dict(keymap.changed) == {"bare": ("Ctrl+B",), "open": ()}
    assert keymap.owner("I") is COMMANDS[0], "a key never runs two commands"


def test_keys_are_written_alike() -> None:
    assert written_key("shift+CTRL+o") == "Ctrl+Shift+O"
    assert written_key("") == written_key("nonsense+q+") == ""
