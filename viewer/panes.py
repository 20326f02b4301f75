"""What the panes of the window show: plain data, kept in the session."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from viewer.tilt import Tilt

__all__ = [
    "MOST_PANES",
    "THICKEST_MM",
    "Content",
    "Layout",
    "Pane",
    "Slab",
    "SlabMode",
    "Turn",
    "fill",
    "span_of",
]

THICKEST_MM = 100.0
"""A slab is at most so thick."""
MOST_PANES = 6
"""More would each be too small to read."""


class Content(StrEnum):
    """What a pane shows."""

    STACK = "stack"
    """The slices as they were acquired."""
    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"
    OBLIQUE = "oblique"
    """A plane that the reader turns as he likes."""
    VOLUME = "volume"
    """The volume in 3D."""

    @property
    def words(self) -> str:
        """Name for the reader."""
        special = {Content.STACK: "As acquired", Content.VOLUME: "3D"}
        return special.get(self, self.value.capitalize())


class SlabMode(StrEnum):
    """How several planes become one picture."""

    THIN = "thin"
    """They do not: one plane is shown."""
    MAXIMUM = "MIP"
    MINIMUM = "MinIP"
    MEAN = "mean"


@dataclass(frozen=True, slots=True)
class Slab:
    """Planes that are shown together.

    Parameters
    ----------
    mode
        How they become one picture.
    mm
        Thickness asked for, 0 to `THICKEST_MM`; what is shown is a whole number of planes.
    """

    mode: SlabMode = SlabMode.THIN
    mm: float = 10.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.mm <= THICKEST_MM:
            raise ValueError(f"a slab is 0 to {THICKEST_MM:.0f} mm thick, not {self.mm}")

    def planes(self, spacing: float) -> int:
        """How many planes it takes, at least one.

        Parameters
        ----------
        spacing
            Distance between planes in mm.
        """
        if self.mode is SlabMode.THIN:
            return 1
        return max(1, round(self.mm / spacing))


@dataclass(frozen=True, slots=True)
class Turn:
    """What the reader did to a picture: mirrored across the screen, then turned clockwise.

    Parameters
    ----------
    quarters
        Quarter turns, 0 to 3.
    mirrored
        Left and right of the screen were exchanged first.
    """

    quarters: int = 0
    mirrored: bool = False

    def rotated(self, quarters: int) -> Turn:
        """This, and then so many quarter turns clockwise."""
        return Turn((self.quarters + quarters) % 4, self.mirrored)

    def flipped_across(self) -> Turn:
        """This, and then left and right of the screen exchanged."""
        # A mirror after a turn is the opposite turn after the mirror.
        return Turn(-self.quarters % 4, not self.mirrored)

    def flipped_down(self) -> Turn:
        """This, and then top and bottom of the screen exchanged: across, and half a turn."""
        return self.flipped_across().rotated(2)


@dataclass(frozen=True, slots=True)
class Pane:
    """One pane: what it shows, and how.

    Parameters
    ----------
    content
        Which planes, or the volume.
    slab
        How many planes at a time.
    turn
        What the reader did to the picture.
    tilt
        How oblique planes lie.
    """

    content: Content = Content.STACK
    slab: Slab = Slab()
    turn: Turn = Turn()
    tilt: Tilt = field(default_factory=Tilt)

    def upright(self) -> Pane:
        """The same planes, one at a time and not turned; oblique ones as they lie at first."""
        return Pane(self.content)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the panes stand.

    Parameters
    ----------
    name
        For the reader.
    columns
        From left to right, what stands in each from top to bottom.
    """

    name: str
    columns: tuple[tuple[Content, ...], ...] = ((Content.STACK,),)

    def __post_init__(self) -> None:
        if not self.columns or not all(self.columns):
            raise ValueError("a layout has at least one pane in every column")
        if self.count > MOST_PANES:
            raise ValueError(f"a layout has at most {MOST_PANES} panes, not {self.count}")

    @property
    def contents(self) -> tuple[Content, ...]:
        """What its panes show, column by column."""
        return tuple(content for column in self.columns for content in column)

    @property
    def count(self) -> int:
        """How many panes it has."""
        return sum(len(column) for column in self.columns)

    def showing(self, contents: Iterable[Content], name: str = "") -> Layout:
        """The same places with other contents, in the order of `contents`."""
        left = list(contents)
        columns = tuple(tuple(left.pop(0) for _ in column) for column in self.columns)
        return Layout(name or self.name, columns)


def fill(layout: Layout, old: Iterable[Pane]) -> tuple[Pane, ...]:
    """Panes of a layout; one that shows what an old pane showed takes over its slab and turn."""
    left = list(old)
    panes = []
    for content in layout.contents:
        same = next((pane for pane in left if pane.content is content), None)
        if same is not None:
            left.remove(same)
        panes.append(same or Pane(content))
    return tuple(panes)


def span_of(index: int, planes: int, count: int) -> tuple[int, int]:
    """First plane of a slab, and the one after its last; at the ends there are fewer.

    Parameters
    ----------
    index
        The plane in its middle.
    planes
        How many it is made of.
    count
        How many there are.
    """
    start = index - (planes - 1) // 2
    return max(0, start), min(count, start + planes)
