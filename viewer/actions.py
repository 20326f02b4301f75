"""Every command of the window, declared once.

Menus, toolbar, palette, the table of keys and the help page are made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from inference.studies.model import SourceKind, Unit
from viewer.arrangement import ZoomWish
from viewer.hanging import load_layouts
from viewer.panes import Content, SlabMode, Turn
from viewer.presets import load_presets
from viewer.reading import STILL_READING
from viewer.session import AnalysisState, ReadingSession, Tool
from viewer.stepping import active_section, go_to_end, step

if TYPE_CHECKING:
    from inference.studies.model import Window
    from viewer.panes import Layout

__all__ = ["MENUS", "Choice", "Command", "Condition", "Doings", "ThreeD", "commands"]

_PLANES = {
    Content.STACK: "the slices as they were acquired",
    Content.AXIAL: "axial planes",
    Content.CORONAL: "coronal planes",
    Content.SAGITTAL: "sagittal planes",
    Content.VOLUME: "the volume in 3D",
}

SLAB_MM = (2.0, 3.0, 5.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0, 70.0, 100.0)
"""Thicknesses that the commands go through."""

_IN_TOOLBAR = (Tool.WINDOW, Tool.PAN, Tool.ZOOM)

MENUS = (
    "File", "Edit", "View", "Panes", "3D", "Window level", "Tools", "Measure", "Analysis", "Export",
    "Help",
)  # fmt: skip
"""The menus, in order; a command names the one it is in."""


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


def _no_pane() -> ThreeD | None:
    return None


@dataclass(frozen=True, slots=True)
class Doings:
    """What commands may ask of the parts of the window."""

    open_files: Callable[[], None]
    open_folder: Callable[[], None]
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
    three_d: Callable[[], ThreeD | None] = _no_pane
    """The 3D pane that is shown, or None."""


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


def _needs(what: str) -> Callable[[Callable[[], bool]], Condition]:
    """Make a condition of a function."""
    return partial(Condition, needs=what)


_always = Condition(lambda: True, "")


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
    enabled: Callable[[], bool] = _always
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


def commands(session: ReadingSession, doings: Doings) -> tuple[Command, ...]:
    """Declare every command.

    Parameters
    ----------
    session
        Asked whether a command can be done, and told to change.
    doings
        What is beyond the session: files, workers, the window itself.
    """
    return (
        *_file_commands(session, doings),
        *_edit_commands(session),
        *_view_commands(session, doings),
        *_pane_commands(session, doings),
        *_slab_commands(session),
        *_volume_commands(doings),
        *_window_commands(session),
        *_tool_commands(session),
        *_measure_commands(session),
        *_analysis_commands(session, doings),
        *_export_commands(session, doings),
        Command("palette", "Find a command…", "Search all commands by what they do, and run one",
                "Help", doings.show_palette, ("Ctrl+K",), toolbar=True),
        Command("keys", "Keys and mouse", "List every key and mouse gesture", "Help",
                doings.show_keys, ("?", "F1")),
        Command("cards", "Model cards", "What each model was trained on, how well it does, and its "
                "limits", "Help", doings.show_cards),
    )  # fmt: skip


def _still_reading(session: ReadingSession) -> str:
    return STILL_READING if session.reading.active else ""


def _file_commands(session: ReadingSession, doings: Doings) -> Sequence[Command]:
    @_needs("names to be shown: in teaching mode nothing tells what was opened")
    def names_shown() -> bool:
        return not session.manner.names_hidden

    return (
        Command("open-files", "Open files…", "Open images: DICOM, NIfTI, NRRD, MHA, PNG, JPEG, a "
                "DICOMDIR or a ZIP archive", "File", doings.open_files, ("Ctrl+O",), toolbar=True),
        Command("open-folder", "Open folder…", "Open a folder of images with all that is in it",
                "File", doings.open_folder, ("Ctrl+Shift+O",), toolbar=True),
        Command("open-recent", "Open recent", "Open again what was opened before", "File",
                doings.open_last, (), names_shown, choices=doings.recent),
        Command("settings", "Settings…", "Device, models, looks, keys, mouse and folders", "File",
                doings.show_settings, ("Ctrl+,",), separated=True),
        Command("quit", "Quit", "Close SecondRead", "File", doings.quit, ("Ctrl+Q",),
                separated=True),
    )  # fmt: skip


def _edit_commands(session: ReadingSession) -> Sequence[Command]:
    notebook = session.measurements

    @_needs("a selected measurement")
    def is_selected() -> bool:
        return notebook.selected is not None

    @_needs("a change of the measurements")
    def can_undo() -> bool:
        return notebook.can_undo

    @_needs("a change that was undone")
    def can_redo() -> bool:
        return notebook.can_redo

    @_needs("a measurement on the open series")
    def has_some() -> bool:
        return bool(notebook.measurements)

    def remove() -> None:
        if notebook.selected is not None:
            notebook.remove(notebook.selected.id)

    return (
        Command("undo", "Undo", "Undo the last change of the measurements", "Edit", notebook.undo,
                ("Ctrl+Z",), can_undo),
        Command("redo", "Redo", "Do again what was undone", "Edit", notebook.redo,
                ("Ctrl+Shift+Z", "Ctrl+Y"), can_redo),
        Command("measurement-delete", "Delete measurement", "Delete the selected measurement",
                "Edit", remove, ("Del", "Backspace"), is_selected, separated=True),
        Command("measurements-clear", "Delete all measurements", "Delete every measurement of the "
                "open series; Undo brings them back", "Edit", notebook.remove_all, (),
                has_some),
    )  # fmt: skip


def _view_commands(session: ReadingSession, doings: Doings) -> Sequence[Command]:
    @_needs("an open series")
    def is_open() -> bool:
        return session.volume is not None

    @_needs("an open series of several slices")
    def several_slices() -> bool:
        section = active_section(session)
        return section is not None and section.count > 1

    @_needs("another series beside the open one")
    def is_comparing() -> bool:
        return doings.is_comparing()

    @_needs("several open series")
    def several_series() -> bool:
        return is_open() and sum(len(study.series) for study in session.studies) > 1

    return (
        Command("slice-up", "Next slice up", "Go one slice on: in axial slices towards the head",
                "View", partial(step, session, 1), ("Up",), several_slices),
        Command("slice-down", "Next slice down", "Go one slice back: in axial slices towards the "
                "feet", "View", partial(step, session, -1), ("Down",), several_slices),
        Command("slice-first", "First slice", "Go to the first slice of the active pane", "View",
                partial(go_to_end, session, last=False), ("Home",), several_slices),
        Command("slice-last", "Last slice", "Go to the last slice of the active pane", "View",
                partial(go_to_end, session, last=True), ("End",), several_slices),
        Command("series-next", "Next series", "Show the next series of the study list", "View",
                partial(doings.step_series, 1), ("PgDown",), several_series, separated=True),
        Command("series-previous", "Previous series", "Show the previous series of the study list",
                "View", partial(doings.step_series, -1), ("PgUp",), several_series),
        Command("compare", "Compare with…", "Show another series beside the open one; in the study "
                "list: Ctrl and a click", "View", doings.compare, ("Ctrl+B",), several_series),
        Command("compare-close", "Stop comparing", "Show the open series alone again", "View",
                doings.stop_comparing, (), is_comparing),
        Command("overlays", "Overlays", "Show or hide every mask, heatmap and measurement", "View",
                session.toggle_overlays, ("G",), is_open, lambda: session.overlays_on,
                toolbar=True, separated=True),
        Command("invert", "Invert", "Swap black and white", "View", session.toggle_invert, ("I",),
                is_open, lambda: session.inverted),
        Command("reset", "Reset view", "Fit the picture and go back to the first window", "View",
                session.reset_view, ("Space",), is_open, toolbar=True),
        Command("hide-names", "Hide names", "Teaching mode: keep names, numbers, dates and "
                "descriptions of patients off the screen and out of exported pictures", "View",
                session.manner.toggle_names, ("F8",), checked=lambda: session.manner.names_hidden,
                separated=True),
        Command("theme", "Dark or light", "Change between the dark and the light theme; images "
                "stay on black", "View", doings.next_theme, ("Ctrl+Shift+L",)),
        Command("safe-colours", "Colour-blind-safe findings", "Draw findings in colours that "
                "colour-blind readers can tell apart, or in the paper's", "View",
                doings.safe_colours, (), checked=doings.are_colours_safe),
        Command("full-screen", "Full screen", "Use the whole screen, or not", "View",
                doings.full_screen, ("F11",), checked=doings.is_full_screen),
    )  # fmt: skip


def _pane_commands(session: ReadingSession, doings: Doings) -> Sequence[Command]:
    panes = session.arrangement

    @_needs("an open series")
    def is_open() -> bool:
        return session.volume is not None

    @_needs("several planes in the active pane")
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

    @_needs("a layout of several panes")
    def several_panes() -> bool:
        return panes.layout.count > 1

    @_needs("an open series with a known spacing")
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
        Command("crosshair", "Crosshair", "Show where the other planes lie", "Panes",
                panes.toggle_crosshair, ("X",), is_open, lambda: panes.crosshair_on),
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


def _slab_commands(session: ReadingSession) -> Sequence[Command]:
    panes = session.arrangement

    @_needs("several planes whose distances are known")
    def can_be_thick() -> bool:
        section, volume = active_section(session), session.volume
        known = volume is not None and volume.has_geometry
        return known and section is not None and section.count > 1

    def set_mode(mode: SlabMode) -> None:
        panes.set_slab(replace(panes.active_pane.slab, mode=mode))

    def is_mode(mode: SlabMode) -> bool:
        return panes.active_pane.slab.mode is mode

    @_needs("a slab: MIP, MinIP or mean")
    def is_thick() -> bool:
        return can_be_thick() and not is_mode(SlabMode.THIN)

    def change(steps: int) -> None:
        mm = panes.active_pane.slab.mm
        place = min(range(len(SLAB_MM)), key=lambda i: abs(SLAB_MM[i] - mm)) + steps
        wanted = SLAB_MM[max(0, min(place, len(SLAB_MM) - 1))]
        panes.set_slab(replace(panes.active_pane.slab, mm=wanted))

    modes = (
        (SlabMode.THIN, "Thin", "Show one plane", "Y"),
        (SlabMode.MAXIMUM, "MIP", "Show the largest value of several planes: vessels and nodules",
         "Shift+M"),
        (SlabMode.MINIMUM, "MinIP", "Show the smallest value of several planes: airways and "
         "emphysema", "Shift+N"),
        (SlabMode.MEAN, "Mean", "Show the mean of several planes: less noise", "Shift+Y"),
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


def _volume_commands(doings: Doings) -> Sequence[Command]:
    @_needs("a pane that shows the volume in 3D")
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
                    partial(look, view), (f"Alt+{key}",), is_shown)
            for view, text, key in sides
        ),
        Command("3d-turntable", "Turntable", "3D: turn slowly until something is touched", "3D",
                lambda: ask(lambda pane: pane.toggle_turntable()), ("Alt+T",), is_shown,
                lambda: is_on(lambda pane: pane.turning), separated=True),
        Command("3d-box", "Clipping box", "3D: cut the volume with a box", "3D",
                lambda: ask(lambda pane: pane.toggle_clipping()), ("Alt+B",), is_shown,
                lambda: is_on(lambda pane: pane.clipping)),
        Command("3d-reset", "Reset 3D", "3D: look from the front at everything", "3D",
                lambda: ask(lambda pane: pane.reset()), ("Alt+0",), is_shown,
                separated=True),
    )  # fmt: skip


def _window_commands(session: ReadingSession) -> Sequence[Command]:
    @_needs("an open CT in Hounsfield units")
    def has_hu() -> bool:
        return session.volume is not None and session.volume.unit is Unit.HU

    @_needs("a file that asks for a window of its own")
    def has_own() -> bool:
        return session.volume is not None and bool(session.volume.windows)

    def next_own() -> None:
        """Go through the windows that the file names, in order."""
        if session.volume is not None and session.volume.windows:
            own = session.volume.windows
            here = next((i for i, window in enumerate(own) if window == session.window), -1)
            session.set_window(own[(here + 1) % len(own)])

    @_needs("an open series")
    def is_open() -> bool:
        return session.volume is not None

    def percentiles() -> None:
        session.set_window(session.percentile_window())

    def is_used(preset: Window) -> bool:
        used = session.window
        return has_hu() and (used.centre, used.width) == (preset.centre, preset.width)

    def tip(preset: Window) -> str:
        level = f"{preset.centre:g}".replace("-", "−")
        return f"{preset.name} window: width {preset.width:g}, level {level} HU"

    presets = tuple(
        Command(f"preset-{number}", preset.name, tip(preset), "Window level",
                partial(session.set_window, preset), (str(number),), has_hu,
                partial(is_used, preset))
        for number, preset in enumerate(load_presets()[:9], start=1)
    )  # fmt: skip
    return (
        *presets,
        Command("own-window", "The file's own", "Use the window, or the next one, that the file "
                "asks for", "Window level", next_own, ("0",), has_own, separated=True),
        Command("percentile-window", "1st to 99th percentile", "Use a window from the 1st to the "
                "99th percentile of the values", "Window level", percentiles, (), is_open),
    )  # fmt: skip


def _tool_commands(session: ReadingSession) -> Sequence[Command]:
    tools = (
        (Tool.WINDOW, "Window/level", "Drag with the left button to change contrast", "W"),
        (Tool.PAN, "Pan", "Drag with the left button to move the picture", "P"),
        (Tool.ZOOM, "Zoom", "Drag with the left button to enlarge the picture", "Z"),
        (Tool.SCROLL, "Scroll", "Drag with the left button to go through the planes", "S"),
        (Tool.CROSSHAIR, "Crosshair", "Drag with the left button to take all planes to a point",
         "K"),
        (Tool.MAGNIFIER, "Magnifier", "Hold the left button to see a part larger", "N"),
    )  # fmt: skip

    def is_chosen(tool: Tool) -> bool:
        return session.tool is tool

    return tuple(
        Command(f"tool-{tool.value}", text, tip, "Tools", partial(session.set_tool, tool), (key,),
                checked=partial(is_chosen, tool), toolbar=tool in _IN_TOOLBAR)
        for tool, text, tip, key in tools
    )  # fmt: skip


def _measure_commands(session: ReadingSession) -> Sequence[Command]:
    tools = (
        (Tool.LENGTH, "Length", "Draw a line, in mm", "D"),
        (Tool.ANGLE, "Angle", "Draw one leg, then click the end of the other", "A"),
        (Tool.COBB, "Cobb angle", "Draw two lines; the acute angle between them", "Shift+A"),
        (Tool.RECTANGLE, "Rectangle", "Area, mean, SD, least and greatest value in a rectangle",
         "Q"),
        (Tool.ELLIPSE, "Ellipse", "Area, mean, SD, least and greatest value in an ellipse", "O"),
        (Tool.FREEHAND, "Freehand region", "Draw around it; the outline closes itself", "F"),
        (Tool.PROBE, "Probe", "Click: the stored value of one pixel, in HU where known", "U"),
        (Tool.TEXT, "Text", "Click and write", "T"),
        (Tool.ARROW, "Arrow", "Draw from what is meant; a note may follow", "Shift+T"),
    )  # fmt: skip

    def is_chosen(tool: Tool) -> bool:
        return session.tool is tool

    return tuple(
        Command(f"tool-{tool.value}", text, tip, "Measure", partial(session.set_tool, tool),
                (key,), checked=partial(is_chosen, tool), separated=number in {3, 6})
        for number, (tool, text, tip, key) in enumerate(tools)
    )  # fmt: skip


def _analysis_commands(session: ReadingSession, doings: Doings) -> Sequence[Command]:
    @_needs("an open series that is not being analysed")
    def can_analyse() -> bool:
        return (
            session.volume is not None
            and not session.reading.active
            and session.analysis is not AnalysisState.RUNNING
        )

    @_needs("an open picture that is neither DICOM nor a volume")
    def is_picture() -> bool:
        return (
            can_analyse()
            and session.series is not None
            and session.series.kind is SourceKind.PICTURE
        )

    def is_read_as(modality: str) -> bool:
        return session.volume is not None and session.volume.modality == modality

    return (
        Command("analyse", "Analyse", "Analyse the open series with the machine", "Analysis",
                doings.analyse, ("F5",), can_analyse, toolbar=True,
                hindered=partial(_still_reading, session)),
        Command("cancel", "Cancel", "Stop what is being done; no result is left behind",
                "Analysis", doings.cancel, ("Esc",), _needs("work to stop")(doings.is_busy)),
        Command("read-as-ct", "Take picture for a CT slice", "Say that the open picture is one "
                "slice of a CT", "Analysis", partial(doings.read_as, "CT"), (), is_picture,
                partial(is_read_as, "CT"), separated=True),
        Command("read-as-xray", "Take picture for an X-ray", "Say that the open picture is a "
                "chest X-ray", "Analysis", partial(doings.read_as, "DX"), (), is_picture,
                partial(is_read_as, "DX")),
    )  # fmt: skip


def _export_commands(session: ReadingSession, doings: Doings) -> Sequence[Command]:
    @_needs("findings; analyse the series first")
    def has_findings() -> bool:
        return session.findings is not None

    @_needs("masks; analyse the series first")
    def has_masks() -> bool:
        return session.findings is not None and bool(session.findings.segments)

    @_needs("a measurement on the open series")
    def has_measurements() -> bool:
        return bool(session.measurements.measurements)

    @_needs("an open series without an analysis at work")
    def is_whole() -> bool:
        return session.volume is not None and session.early is None and not session.reading.active

    wait = partial(_still_reading, session)
    return (
        Command("export-seg", "DICOM segmentation…", "Write the masks as a DICOM SEG object",
                "Export", partial(doings.export, "seg"), (), has_masks, hindered=wait),
        Command("export-nifti", "NIfTI label map…", "Write the masks on the grid of the source",
                "Export", partial(doings.export, "nifti"), (), has_masks, hindered=wait),
        Command("export-csv", "Lesion list as CSV…", "Write a line for each lesion: size, density "
                "and place", "Export", partial(doings.export, "csv"), (), has_masks,
                hindered=wait),
        Command("export-json", "Findings as JSON…", "Write every number of the findings", "Export",
                partial(doings.export, "json"), (), has_findings, hindered=wait),
        Command("export-measurements", "Measurements…", "Write the table of measurements as CSV or "
                "JSON", "Export", partial(doings.export, "measurements"), (), has_measurements,
                separated=True),
        Command("export-sr", "DICOM report of measurements…", "Write lengths, angles, regions and "
                "probes as a DICOM structured report", "Export", partial(doings.export, "sr"), (),
                has_measurements),
        Command("export-png", "Picture of the view…", "Write the picture as it is shown, with "
                "overlays", "Export", partial(doings.export, "png"), ("Ctrl+E",), is_whole,
                separated=True, hindered=wait),
    )  # fmt: skip
