"""Every command of the window, declared once; menus, toolbar and key help are made from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from inference.studies.model import SourceKind, Unit
from viewer.presets import load_presets
from viewer.session import AnalysisState, ReadingSession, Tool

if TYPE_CHECKING:
    from inference.studies.model import Window

__all__ = ["MENUS", "Command", "Doings", "ThreeD", "commands"]

MENUS = ("File", "View", "3D", "Window level", "Tools", "Analysis", "Export", "Help")
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
    quit: Callable[[], None]
    three_d: Callable[[], ThreeD | None] = _no_pane
    """The 3D pane that is shown, or None."""


def _always() -> bool:
    return True


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
        *_file_commands(doings),
        *_view_commands(session, doings),
        *_volume_commands(doings),
        *_window_commands(session),
        *_tool_commands(session),
        *_analysis_commands(session, doings),
        *_export_commands(session, doings),
        Command("keys", "Keys and mouse", "List every key and mouse gesture", "Help",
                doings.show_keys, ("?", "F1")),
        Command("cards", "Model cards", "What each model was trained on, how well it does, and its "
                "limits", "Help", doings.show_cards),
    )  # fmt: skip


def _file_commands(doings: Doings) -> Sequence[Command]:
    return (
        Command("open-files", "Open files…", "Open images: DICOM, NIfTI, NRRD, MHA, PNG or JPEG",
                "File", doings.open_files, ("Ctrl+O",), toolbar=True),
        Command("open-folder", "Open folder…", "Open a folder of DICOM files", "File",
                doings.open_folder, ("Ctrl+Shift+O",), toolbar=True),
        Command("quit", "Quit", "Close SecondRead", "File", doings.quit, ("Ctrl+Q",),
                separated=True),
    )  # fmt: skip


def _view_commands(session: ReadingSession, doings: Doings) -> Sequence[Command]:
    def is_open() -> bool:
        return session.volume is not None

    def several_slices() -> bool:
        return session.volume is not None and session.volume.shape[0] > 1

    def several_series() -> bool:
        return is_open() and sum(len(study.series) for study in session.studies) > 1

    def last() -> None:
        if session.volume is not None:
            session.set_position(session.volume.shape[0] - 1)

    return (
        Command("slice-up", "Next slice up", "Go one slice towards the head", "View",
                partial(session.step, 1), ("Up",), several_slices),
        Command("slice-down", "Next slice down", "Go one slice towards the feet", "View",
                partial(session.step, -1), ("Down",), several_slices),
        Command("slice-first", "First slice", "Go to the first slice of the series", "View",
                partial(session.set_position, 0), ("Home",), several_slices),
        Command("slice-last", "Last slice", "Go to the last slice of the series", "View", last,
                ("End",), several_slices),
        Command("series-next", "Next series", "Show the next series of the study list", "View",
                partial(doings.step_series, 1), ("PgDown",), several_series, separated=True),
        Command("series-previous", "Previous series", "Show the previous series of the study list",
                "View", partial(doings.step_series, -1), ("PgUp",), several_series),
        Command("overlays", "Overlays", "Show or hide every mask and heatmap", "View",
                session.toggle_overlays, ("G",), is_open, lambda: session.overlays_on,
                toolbar=True, separated=True),
        Command("invert", "Invert", "Swap black and white", "View", session.toggle_invert, ("I",),
                is_open, lambda: session.inverted),
        Command("reset", "Reset view", "Fit the picture and go back to the first window", "View",
                session.reset_view, ("Space",), is_open, toolbar=True),
        Command("full-screen", "Full screen", "Use the whole screen, or not", "View",
                doings.full_screen, ("F11",), checked=doings.is_full_screen, separated=True),
    )  # fmt: skip


def _volume_commands(doings: Doings) -> Sequence[Command]:
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
                    partial(look, view), (f"Shift+{key}",), is_shown)
            for view, text, key in sides
        ),
        Command("3d-turntable", "Turntable", "3D: turn slowly until something is touched", "3D",
                lambda: ask(lambda pane: pane.toggle_turntable()), ("Shift+T",), is_shown,
                lambda: is_on(lambda pane: pane.turning), separated=True),
        Command("3d-box", "Clipping box", "3D: cut the volume with a box", "3D",
                lambda: ask(lambda pane: pane.toggle_clipping()), ("Shift+B",), is_shown,
                lambda: is_on(lambda pane: pane.clipping)),
        Command("3d-reset", "Reset 3D", "3D: look from the front at everything", "3D",
                lambda: ask(lambda pane: pane.reset()), ("Shift+Space",), is_shown,
                separated=True),
    )  # fmt: skip


def _window_commands(session: ReadingSession) -> Sequence[Command]:
    def has_hu() -> bool:
        return session.volume is not None and session.volume.unit is Unit.HU

    def has_own() -> bool:
        return session.volume is not None and bool(session.volume.windows)

    def next_own() -> None:
        """Go through the windows that the file names, in order."""
        if session.volume is not None and session.volume.windows:
            own = session.volume.windows
            here = next((i for i, window in enumerate(own) if window == session.window), -1)
            session.set_window(own[(here + 1) % len(own)])

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
    )  # fmt: skip


def _tool_commands(session: ReadingSession) -> Sequence[Command]:
    tools = (
        (Tool.WINDOW, "Window/level", "Drag with the left button to change contrast", "W"),
        (Tool.PAN, "Pan", "Drag with the left button to move the picture", "P"),
        (Tool.ZOOM, "Zoom", "Drag with the left button to enlarge the picture", "Z"),
    )

    def is_chosen(tool: Tool) -> bool:
        return session.tool is tool

    return tuple(
        Command(f"tool-{tool.value}", text, tip, "Tools", partial(session.set_tool, tool), (key,),
                checked=partial(is_chosen, tool), toolbar=True)
        for tool, text, tip, key in tools
    )  # fmt: skip


def _analysis_commands(session: ReadingSession, doings: Doings) -> Sequence[Command]:
    def can_analyse() -> bool:
        return session.volume is not None and session.analysis is not AnalysisState.RUNNING

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
                doings.analyse, ("F5",), can_analyse, toolbar=True),
        Command("cancel", "Cancel", "Stop what is being done; no result is left behind",
                "Analysis", doings.cancel, ("Esc",), doings.is_busy),
        Command("read-as-ct", "Take picture for a CT slice", "Say that the open picture is one "
                "slice of a CT", "Analysis", partial(doings.read_as, "CT"), (), is_picture,
                partial(is_read_as, "CT"), separated=True),
        Command("read-as-xray", "Take picture for an X-ray", "Say that the open picture is a "
                "chest X-ray", "Analysis", partial(doings.read_as, "DX"), (), is_picture,
                partial(is_read_as, "DX")),
    )  # fmt: skip


def _export_commands(session: ReadingSession, doings: Doings) -> Sequence[Command]:
    def has_findings() -> bool:
        return session.findings is not None

    def has_masks() -> bool:
        return session.findings is not None and bool(session.findings.segments)

    def is_whole() -> bool:
        return session.volume is not None and session.early is None

    return (
        Command("export-seg", "DICOM segmentation…", "Write the masks as a DICOM SEG object",
                "Export", partial(doings.export, "seg"), (), has_masks),
        Command("export-nifti", "NIfTI label map…", "Write the masks on the grid of the source",
                "Export", partial(doings.export, "nifti"), (), has_masks),
        Command("export-json", "Findings as JSON…", "Write every number of the findings", "Export",
                partial(doings.export, "json"), (), has_findings),
        Command("export-png", "Picture of the view…", "Write the picture as it is shown, with "
                "overlays", "Export", partial(doings.export, "png"), ("Ctrl+E",), is_whole,
                separated=True),
    )  # fmt: skip
