"""Which layout and window a study opens with, by modality: read from a resources file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from viewer.panes import Content, Layout

__all__ = ["OWN_WINDOW", "HangingRule", "NamedLayout", "load_layouts", "rule_for"]

OWN_WINDOW = "own"
"""Of a rule: the file's own window, or one by percentiles."""


@dataclass(frozen=True, slots=True)
class NamedLayout:
    """A layout that comes with the program.

    Parameters
    ----------
    id
        Stable name, for commands and settings.
    key
        Shortcut.
    layout
        Where its panes stand.
    """

    id: str
    key: str
    layout: Layout


@dataclass(frozen=True, slots=True)
class HangingRule:
    """How studies of some modalities are hung.

    Parameters
    ----------
    modalities
        DICOM modalities; ``"OT"`` is a picture that does not say what it is.
    layout
        `NamedLayout.id`.
    window
        Name of a preset, or `OWN_WINDOW`.
    """

    modalities: tuple[str, ...]
    layout: str
    window: str


@cache
def _content() -> dict[str, Any]:
    text = (resources.files("resources") / "layouts.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


@cache
def load_layouts() -> tuple[NamedLayout, ...]:
    """The layouts that come with the program, in order."""
    return tuple(
        NamedLayout(
            entry["id"],
            entry["key"],
            Layout(
                entry["name"],
                tuple(tuple(Content(name) for name in column) for column in entry["columns"]),
            ),
        )
        for entry in _content()["layouts"]
    )


@cache
def rule_for(modality: str) -> HangingRule:
    """The first rule that names a modality; one pane and the file's own window where none does."""
    for entry in _content()["hanging"]:
        if modality in entry["modalities"]:
            return HangingRule(tuple(entry["modalities"]), entry["layout"], entry["window"])
    return HangingRule((modality,), load_layouts()[0].id, OWN_WINDOW)
