"""What a command is, and what commands may ask of the parts of the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from viewer.session import ReadingSession

__all__ = ["MENUS", "Choice", "Command", "Condition", "Doings", "Sides", "ThreeD", "needs"]

MENUS = (
    "File", "Edit", "View", "Panes", "Panels", "3D", "Window level", "Tools", "Measure",
    "Analysis", "Export", "Help",
)  # fmt: skip
"""The menus, in order; a command names the one it is in."""


class Sides(Protocol):
    """What commands may ask of the panels beside the images, see `viewer.sides.SidePanels`."""

    def toggle_all(self) -> None:
        """Hide every panel, or show all."""

    def all_shown(self) -> bool:
        """A panel is shown at either side."""

    def toggle(self, side: str) -> None:
        """Hide or show one side."""

    def is_shown(self, side: str) -> bool:
        """One side is shown."""

    def show_tab(self, name: str) -> None:
        """Bring a tab to the front; one that is there already gets the keys."""

    def is_in_front(self, name: str) -> bool:
        """A tab can be seen."""

    def go_to_picture(self) -> None:
        """Give the keys to the image."""

    def go_to_menus(self) -> None:
        """Open the first menu."""


class ThreeD(Protocol):
    """What commands may ask of a 3D pane, see `viewer.volume3d.view.VolumeView`."""

    @property
    def turning(self) -> bool:
        """The turntable is on."""

    @property
    def clipping(self) -> bool:
        """The clipping box is used."""

    def look_from(self, view: str) -> None:
        """Look from a side of the patient."""

    def reset(self) -> None:
        """Look from the front at everything."""

    def toggle_turntable(self) -> None:
        """Turn slowly, or stop."""

    def toggle_clipping(self) -> None:
        """Use the clipping box, or not."""


def _nobody() -> ReadingSession | None:
    return None


def _no_pane() -> ThreeD | None:
    return None


def _not_kept(_number: int) -> None:
    return


def _nothing() -> None:
    """Do nothing."""


def _never() -> bool:
    return False


def _no_sides() -> Sides | None:
    return None


@dataclass(frozen=True, slots=True)
class Doings:
    """What commands may ask of the parts of the window."""

    open_files: Callable[[], None]
    open_folder: Callable[[], None]
    open_sample: Callable[[], None]
    show_elements: Callable[[], None]
    open_last: Callable[[], None]
    recent: Callable[[], Sequence[Choice]]
    step_series: Callable[[int], None]
    read_as: Callable[[str], None]
    analyse: Callable[[], None]
    cancel: Callable[[], None]
    is_busy: Callable[[], bool]
    export: Callable[[str], None]
    full_screen: Callable[[], None]
    is_full_screen: Callable[[], bool]
    show_keys: Callable[[], None]
    show_cards: Callable[[], None]
    show_layouts: Callable[[], None]
    compare: Callable[[], None]
    stop_comparing: Callable[[], None]
    is_comparing: Callable[[], bool]
    show_palette: Callable[[], None]
    show_settings: Callable[[], None]
    next_theme: Callable[[], None]
    safe_colours: Callable[[], None]
    are_colours_safe: Callable[[], bool]
    quit: Callable[[], None]
    tear_off: Callable[[], None]
    is_torn: Callable[[], bool]
    can_tear: Callable[[], bool]
    three_d: Callable[[], ThreeD | None] = _no_pane
    """The 3D pane that is shown, or None."""
    beside: Callable[[], ReadingSession | None] = _nobody
    """The series beside the open one, while its image has the keys; else None."""
    keep_preset: Callable[[int], None] = _not_kept
    """Make the window in use the preset of that number."""
    several_chosen: Callable[[], bool] = _never
    """Several series are chosen in the study list: `analyse` and `cancel` are for them."""
    analyse_all: Callable[[], None] = _nothing
    cancel_all: Callable[[], None] = _nothing
    open_segmentation: Callable[[], None] = _nothing
    has_queue: Callable[[], bool] = _never
    """An analysis is at work or waits."""
    sides: Callable[[], Sides | None] = _no_sides
    """What is beside the images; None before it is in place."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether something can be done now and, where it cannot, what it needs.

    Parameters
    ----------
    holds
        Asked each time.
    needs
        What has to be so, as the end of "It needs ..."; empty where there is nothing to say.
    """

    holds: Callable[[], bool]
    needs: str

    def __call__(self) -> bool:
        """Ask."""
        return self.holds()


def needs(what: str) -> Callable[[Callable[[], bool]], Condition]:
    """Make a condition of a function."""
    return partial(Condition, needs=what)


always = Condition(lambda: True, "")


@dataclass(frozen=True, slots=True)
class Choice:
    """An entry of a submenu that is not the same at every time.

    Parameters
    ----------
    text, tip, do
        As of a command; "&" in the text underlines the letter after it.
    enabled
        It can be chosen.
    checked
        For what is on or off: whether it is on; None for the others.
    separated
        A separator stands before it.
    """

    text: str
    tip: str
    do: Callable[[], None]
    enabled: bool = True
    checked: bool | None = None
    separated: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that the reader can ask for.

    Parameters
    ----------
    id
        Stable name.
    text
        Menu text, without accelerator.
    tip
        One line that says what it does.
    menu
        One of `MENUS`.
    do
        Does it.
    keys
        Shortcuts; the first one is shown.
    enabled
        It can be done now.
    checked
        For commands that are on or off: whether it is on; None for the others.
    toolbar
        It is also in the toolbar.
    separated
        A separator stands before it.
    choices
        Entries of the submenu that it opens, asked for whenever that is shown; `do` then stands
        for the first of them.
    hindered
        What stands in its way for the moment, in a sentence; empty where nothing does.
    """

    id: str
    text: str
    tip: str
    menu: str
    do: Callable[[], None]
    keys: tuple[str, ...] = ()
    enabled: Callable[[], bool] = always
    checked: Callable[[], bool] | None = None
    toolbar: bool = False
    separated: bool = False
    choices: Callable[[], Sequence[Choice]] | None = None
    hindered: Callable[[], str] = str

    @property
    def why_not(self) -> str:
        """Why it cannot be done now, in a sentence; empty where it can or nobody knows."""
        if hindered := self.hindered():
            return hindered
        needs = self.enabled.needs if isinstance(self.enabled, Condition) else ""
        return "" if not needs or self.enabled() else f"It needs {needs}."
