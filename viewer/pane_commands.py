"""Commands for the panes: layouts, planes, slabs, turns, size, cine, and the volume in 3D."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from viewer.arrangement import ZoomWish
from viewer.declaring import Command, Doings, ThreeD, needs
from viewer.hanging import load_layouts
from viewer.panes import Content, SlabMode, Turn
from viewer.session import ReadingSession
from viewer.stepping import active_section

if TYPE_CHECKING:
    from viewer.panes import Layout

__all__ = ["next_thickness", "pane_commands", "slab_commands", "volume_commands"]

_ROUNDING = 1e-6
_PLANES = {
    Content.STACK: "the slices as they were acquired",
    Content.AXIAL: "axial planes",
    Content.CORONAL: "coronal planes",
    Content.SAGITTAL: "sagittal planes",
    Content.OBLIQUE: "planes that can be turned",
    Content.VOLUME: "the volume in 3D",
}

SLAB_MM = (20.0, 30.0, 50.0, 70.0, 100.0)
"""Thicknesses that the commands go through from the first on; below it they go plane by plane."""


def next_thickness(mm: float, plane_mm: float, steps: int) -> float:
    """Say how thick a slab is after steps: of one plane each up to 20 mm, then coarser ones.

    Parameters
    ----------
    mm
        How thick it is now.
    plane_mm
        Distance between planes.
    steps
        1 or -1.

    Examples
    --------
    >>> next_thickness(10.0, 1.25, 1), next_thickness(20.0, 1.25, 1), next_thickness(30.0, 1.25, -1)
    (11.25, 30.0, 20.0)
    """
    finest = SLAB_MM[0]
    planes = max(1, round(mm / plane_mm)) + steps
    by_planes = max(1, planes) * plane_mm
    if by_planes <= finest + _ROUNDING and mm <= finest + _ROUNDING:
        return by_planes
    # Between two of them: the next one in that direction.
    beyond = [each for each in SLAB_MM if (each - mm) * steps > _ROUNDING]
    if steps > 0:
        return beyond[0] if beyond else SLAB_MM[-1]
    return beyond[-1] if beyond else min(max(1, int(finest / plane_mm)) * plane_mm, mm)


def pane_commands(session: ReadingSession, doings: Doings) -> Sequence[Command]:
    panes = session.arrangement

    @needs("an open series")
    def is_open() -> bool:
        return session.volume is not None

    @needs("several planes in the active pane")
    def several_planes() -> bool:
        section = active_section(session)
        return section is not None and section.count > 1

    def is_laid_out(layout: Layout) -> bool:
        return panes.layout.columns == layout.columns

    def shows(content: Content) -> bool:
        return panes.active_pane.content is content

    def turn(change: Callable[[Turn], Turn]) -> None:
        pane = panes.active_pane
        panes.update_active(replace(pane, turn=change(pane.turn)))

    @needs("a layout of several panes")
    def several_panes() -> bool:
        return panes.layout.count > 1

    @needs("an open series with a known spacing")
    def has_spacing() -> bool:
        return session.volume is not None and session.volume.has_geometry

    def maximise() -> None:
        panes.maximise(not panes.maximised)

    layouts = tuple(
        Command(f"layout-{named.id}", named.layout.name, f"Lay out the panes: {named.layout.name}",
                "Panes", partial(panes.set_layout, named.layout), (named.key,),
                checked=partial(is_laid_out, named.layout))
        for named in load_layouts()
    )  # fmt: skip
    contents = tuple(
        Command(f"pane-{content.value}", f"{content.words} here",
                f"Show {_PLANES[content]} in the active pane", "Panes",
                partial(panes.show_in_active, content), (), is_open, partial(shows, content),
                separated=number == 0)
        for number, content in enumerate(Content)
    )  # fmt: skip
    return (
        *layouts,
        Command("layouts", "Layouts…", "Make a layout, give it a name, take one that has a name",
                "Panes", doings.show_layouts),
        *contents,
        Command("maximise", "One pane alone", "Give the active pane the whole room, or not",
                "Panes", maximise, ("M",), several_panes,
                lambda: panes.maximised, separated=True),
        Command("tear-off", "In a window of its own", "Show the active pane in a window of its "
                "own, for instance on another screen; it comes back when that is closed", "Panes",
                doings.tear_off, ("Ctrl+Shift+T",),
                needs("a layout of several panes")(doings.can_tear), doings.is_torn),
        Command("crosshair", "Crosshair", "Show where the other planes lie", "Panes",
                panes.toggle_crosshair, ("Shift+K",), is_open, lambda: panes.crosshair_on),
        Command("flip-across", "Flip left and right", "Mirror the active pane's picture; the "
                "letters follow", "Panes", partial(turn, Turn.flipped_across), ("H",), is_open,
                separated=True),
        Command("flip-down", "Flip top and bottom", "Mirror the active pane's picture upside "
                "down; the letters follow", "Panes", partial(turn, Turn.flipped_down), ("V",),
                is_open),
        Command("rotate-right", "Rotate right", "Turn the active pane's picture clockwise; the "
                "letters follow", "Panes", partial(turn, lambda t: t.rotated(1)), ("R",), is_open),
        Command("rotate-left", "Rotate left", "Turn the active pane's picture the other way; the "
                "letters follow", "Panes", partial(turn, lambda t: t.rotated(3)), ("L",), is_open),
        Command("fit", "Fit", "Show the whole picture", "Panes",
                partial(panes.ask_zoom, ZoomWish.FIT), ("Ctrl+0",), is_open, separated=True),
        Command("pixels", "Pixel by pixel", "Show one pixel of the picture on one of the screen",
                "Panes", partial(panes.ask_zoom, ZoomWish.PIXELS), ("Ctrl+1",), is_open),
        Command("true-size", "True size", "Show a millimetre of the picture on a millimetre of the "
                "screen, as far as the screen knows its own size", "Panes",
                partial(panes.ask_zoom, ZoomWish.TRUE_SIZE), ("Ctrl+2",),
                has_spacing),
        Command("cine", "Cine", "Let the planes of the active pane run, or stop them", "Panes",
                panes.toggle_cine, ("C",), several_planes, lambda: panes.cine_running,
                separated=True),
        Command("cine-faster", "Cine faster", "Let them run faster", "Panes",
                partial(panes.change_speed, 1), ("Ctrl+Right",), several_planes),
        Command("cine-slower", "Cine slower", "Let them run slower", "Panes",
                partial(panes.change_speed, -1), ("Ctrl+Left",), several_planes),
    )  # fmt: skip


def slab_commands(session: ReadingSession) -> Sequence[Command]:
    panes = session.arrangement

    @needs("several planes whose distances are known")
    def can_be_thick() -> bool:
        section, volume = active_section(session), session.volume
        known = volume is not None and volume.has_geometry
        return known and section is not None and section.count > 1

    def set_mode(mode: SlabMode) -> None:
        panes.set_slab(replace(panes.active_pane.slab, mode=mode))

    def is_mode(mode: SlabMode) -> bool:
        return panes.active_pane.slab.mode is mode

    @needs("a slab: MIP, MinIP or mean")
    def is_thick() -> bool:
        return can_be_thick() and not is_mode(SlabMode.THIN)

    def change(steps: int) -> None:
        section = active_section(session)
        if section is not None:
            slab = panes.active_pane.slab
            panes.set_slab(replace(slab, mm=next_thickness(slab.mm, section.plane_mm, steps)))

    modes = (
        (SlabMode.THIN, "Thin", "Show one plane", "Shift+P"),
        (SlabMode.MAXIMUM, "MIP", "Show the largest value of several planes: vessels and nodules",
         "Shift+M"),
        (SlabMode.MINIMUM, "MinIP", "Show the smallest value of several planes: airways and "
         "emphysema", "Shift+B"),
        (SlabMode.MEAN, "Mean", "Show the mean of several planes: less noise", "Shift+V"),
    )  # fmt: skip
    return (
        *(
            Command(f"slab-{mode.name.lower()}", text, tip, "Panes", partial(set_mode, mode),
                    (key,), can_be_thick, partial(is_mode, mode), separated=mode is SlabMode.THIN)
            for mode, text, tip, key in modes
        ),
        Command("slab-thicker", "Thicker slab", "Show more planes as one, to 100 mm", "Panes",
                partial(change, 1), ("Shift+Up",), is_thick),
        Command("slab-thinner", "Thinner slab", "Show fewer planes as one", "Panes",
                partial(change, -1), ("Shift+Down",), is_thick),
    )  # fmt: skip


def volume_commands(doings: Doings) -> Sequence[Command]:
    @needs("a pane that shows the volume in 3D")
    def is_shown() -> bool:
        return doings.three_d() is not None

    def ask(what: Callable[[ThreeD], None]) -> None:
        pane = doings.three_d()
        if pane is not None:
            what(pane)

    def is_on(what: Callable[[ThreeD], bool]) -> bool:
        pane = doings.three_d()
        return pane is not None and what(pane)

    def look(view: str) -> None:
        ask(lambda pane: pane.look_from(view))

    sides = (
        ("anterior", "From the front", "A"), ("posterior", "From behind", "P"),
        ("left", "From the patient's left", "L"), ("right", "From the patient's right", "R"),
        ("head", "From the head", "H"), ("feet", "From the feet", "F"),
    )  # fmt: skip
    return (
        *(
            Command(f"3d-{view}", text, f"3D: look {text[0].lower()}{text[1:]}", "3D",
                    partial(look, view), (f"Alt+Shift+{key}",), is_shown)
            for view, text, key in sides
        ),
        Command("3d-turntable", "Turntable", "3D: turn slowly until something is touched", "3D",
                lambda: ask(lambda pane: pane.toggle_turntable()), ("Alt+Shift+T",), is_shown,
                lambda: is_on(lambda pane: pane.turning), separated=True),
        Command("3d-box", "Clipping box", "3D: cut the volume with a box", "3D",
                lambda: ask(lambda pane: pane.toggle_clipping()), ("Alt+Shift+B",), is_shown,
                lambda: is_on(lambda pane: pane.clipping)),
        Command("3d-reset", "Reset 3D", "3D: look from the front at everything", "3D",
                lambda: ask(lambda pane: pane.reset()), ("Alt+0",), is_shown,
                separated=True),
    )  # fmt: skip
