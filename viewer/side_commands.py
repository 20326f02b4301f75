"""Commands for what lies over the images and beside them: layers, heatmap, panels, tabs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from inference.findings import Manifestation
from viewer.declaring import Choice, Command, Doings, Sides, needs
from viewer.explained import explained_classes

if TYPE_CHECKING:
    from viewer.choices import HeatmapChoice
    from viewer.session import ReadingSession

__all__ = ["layer_commands", "side_commands"]

_LAYER_KEYS = {
    Manifestation.GGO: "Shift+G",
    Manifestation.CONSOLIDATION: "Shift+C",
    Manifestation.EFFUSION: "Shift+E",
}

_TABS = (
    ("findings", "Findings", "F2"),
    ("lesions", "Lesions", "F3"),
    ("layers", "Layers", "F4"),
    ("measurements", "Measurements", "F6"),
    ("patterns", "Patterns", "F7"),
    ("timing", "Timing", "F12"),
)


def layer_commands(session: ReadingSession) -> Sequence[Command]:
    """Declare what shows and hides masks, and asks for heatmaps."""

    @needs("an open CT")
    def is_ct() -> bool:
        return session.volume is not None and session.volume.is_ct

    def toggle(key: Manifestation) -> None:
        layer = session.layer(key)
        session.update_layer(replace(layer, visible=not layer.visible))

    def is_visible(key: Manifestation) -> bool:
        return session.layer(key).visible

    @needs("findings of the models of today whose classes can be explained; analyse the series")
    def can_explain() -> bool:
        stale = session.kept is not None and session.kept.stale
        return bool(explained_classes(session.findings)) and not stale

    def entries() -> list[tuple[HeatmapChoice | None, str]]:
        return [(None, "None"), *explained_classes(session.findings)]

    def next_heatmap() -> None:
        wanted = [choice for choice, _ in entries()]
        here = session.heatmap_choice
        at = wanted.index(here) if here in wanted else 0
        session.choose_heatmap(wanted[(at + 1) % len(wanted)])

    def choices() -> Sequence[Choice]:
        return [
            Choice(text.replace("&", "&&"), "What spoke for it in this slice" if choice else
                   "Explain nothing", partial(session.choose_heatmap, choice),
                   checked=session.heatmap_choice == choice)
            for choice, text in entries()
        ]  # fmt: skip

    layers = tuple(
        Command(f"layer-{key.value}", f"Layer: {key.label}", f"Show or hide the mask of "
                f"{key.label[0].lower()}{key.label[1:]}", "View", partial(toggle, key),
                (_LAYER_KEYS[key],), is_ct, partial(is_visible, key))
        for key in Manifestation
    )  # fmt: skip
    return (
        *layers,
        Command("heatmap", "Heatmap", "Explain the next class in this slice, at last none", "View",
                next_heatmap, ("E",), can_explain, choices=choices),
    )  # fmt: skip


def side_commands(session: ReadingSession, doings: Doings) -> Sequence[Command]:
    """Declare what goes to panels, tabs, image and menus, and hides what is beside the image."""

    @needs("an open series")
    def is_open() -> bool:
        return session.volume is not None

    def ask(what: Callable[[Sides], None]) -> Callable[[], None]:
        def do() -> None:
            sides = doings.sides()
            if sides is not None:
                what(sides)

        return do

    def says(what: Callable[[Sides], bool]) -> Callable[[], bool]:
        def holds() -> bool:
            sides = doings.sides()
            return sides is not None and what(sides)

        return holds

    def tab(name: str, text: str, key: str) -> Command:
        return Command(
            f"tab-{name}", text, f"Show {text.lower()}; a second time: give them the keys",
            "Panels", ask(lambda sides: sides.show_tab(name)), (key,), is_open,
            says(lambda sides: sides.is_in_front(name)), separated=name == "findings",
        )  # fmt: skip

    return (
        Command("panels", "Panels beside the images", "Hide the study list and the findings, or "
                "show them again", "Panels", ask(lambda sides: sides.toggle_all()), ("F9",),
                checked=says(lambda sides: sides.all_shown())),
        Command("panel-studies", "Study list", "Hide or show the study list", "Panels",
                ask(lambda sides: sides.toggle("studies")), ("Shift+F9",),
                checked=says(lambda sides: sides.is_shown("studies"))),
        Command("panel-findings", "Findings and details", "Hide or show what is right of the "
                "images", "Panels", ask(lambda sides: sides.toggle("findings")), ("Ctrl+F9",),
                checked=says(lambda sides: sides.is_shown("findings"))),
        *(tab(*each) for each in _TABS),
        Command("to-picture", "Go to the image", "Give the keys to the image again", "Panels",
                ask(lambda sides: sides.go_to_picture()), ("Shift+Space",), is_open,
                separated=True),
        Command("menus", "Go to the menus", "Open the first menu; the arrows go on from there",
                "Panels", ask(lambda sides: sides.go_to_menus()), ("F10",)),
    )  # fmt: skip
