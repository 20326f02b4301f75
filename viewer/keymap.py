"""Which keys run which command: the declared ones, and what the reader changed of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence

if TYPE_CHECKING:
    from viewer.actions import Command

__all__ = ["KeyMap", "shown_key", "written_key"]


def written_key(key: QKeySequence | str) -> str:
    """Write a key as it is kept, the same on every system; empty when it is none.

    Examples
    --------
    >>> written_key("shift+ctrl+o"), written_key("no key")
    ('Ctrl+Shift+O', '')
    """
    sequence = QKeySequence(key)
    text = sequence.toString(QKeySequence.SequenceFormat.PortableText)
    # What Qt does not understand becomes a key without a name.
    keys = [sequence[at] for at in range(sequence.count())]  # type: ignore[index]  # not in stubs
    known = all(each.key() is not Qt.Key.Key_unknown for each in keys)
    return text if known else ""


def shown_key(key: str) -> str:
    """Write a key as people on this system know it."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


@dataclass(frozen=True, slots=True)
class KeyMap:
    """The keys in use.

    Parameters
    ----------
    declared
        Every command with its own keys.
    changed
        By the id of a command: the keys that the reader gave it instead. Names of commands that
        are gone, and keys that another command of `changed` or an unchanged one has, are left out.
    """

    declared: tuple[Command, ...]
    changed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Keep what can hold."""
        defaults = {command.id: _written(command.keys) for command in self.declared}
        wanted = {
            name: _written(keys)
            for name, keys in self.changed.items()
            if name in defaults and _written(keys) != defaults[name]
        }
        taken = {key for name, keys in defaults.items() if name not in wanted for key in keys}
        kept: dict[str, tuple[str, ...]] = {}
        for name, keys in wanted.items():
            free = tuple(key for key in keys if key not in taken)
            taken.update(free)
            kept[name] = free
        object.__setattr__(self, "changed", MappingProxyType(kept))

    def keys(self, command_id: str) -> tuple[str, ...]:
        """Keys of a command, the first one is shown; empty when it has none.

        Raises
        ------
        KeyError
            When there is no such command.
        """
        if command_id in self.changed:
            return self.changed[command_id]
        return _written(self._command(command_id).keys)

    def owner(self, key: str) -> Command | None:
        """Return the command that a key runs."""
        key = written_key(key)
        return next((c for c in self.declared if key and key in self.keys(c.id)), None)

    def with_keys(self, command_id: str, keys: Sequence[str]) -> KeyMap:
        """Give a command other keys.

        Raises
        ------
        ValueError
            In words, when one of them runs another command; nothing is taken away silently.
        """
        wanted = _written(keys)
        for key in wanted:
            other = self.owner(key)
            if other is not None and other.id != command_id:
                raise ValueError(
                    f"{shown_key(key)} already runs “{other.text.rstrip('…')}” ({other.menu})."
                )
        return KeyMap(self.declared, {**self.changed, command_id: wanted})

    def without_key(self, key: str) -> KeyMap:
        """Take a key from whichever command has it."""
        owner = self.owner(key)
        if owner is None:
            return self
        rest = tuple(k for k in self.keys(owner.id) if k != written_key(key))
        return KeyMap(self.declared, {**self.changed, owner.id: rest})

    def reset(self, command_id: str) -> KeyMap:
        """Give a command its own keys again.

        Raises
        ------
        ValueError
            In words, when one of them runs another command by now.
        """
        return self.with_keys(command_id, self._command(command_id).keys)

    def _command(self, command_id: str) -> Command:
        for command in self.declared:
            if command.id == command_id:
                return command
        raise KeyError(command_id)


def _written(keys: Sequence[str]) -> tuple[str, ...]:
    """Keep the keys that are any, each once, in order."""
    return tuple(dict.fromkeys(text for key in keys if (text := written_key(key))))
