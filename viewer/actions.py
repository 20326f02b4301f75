"""Every command of the window, declared once.

Menus, toolbar, palette, the table of keys and the help page are made from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from inference.studies.model import SourceKind
from viewer.declaring import MENUS, Choice, Command, Condition, Doings, needs
from viewer.lesion_commands import lesion_commands
from viewer.measure_commands import edit_commands, measure_commands
from viewer.oblique_commands import oblique_commands
from viewer.pane_commands import pane_commands, slab_commands, volume_commands
from viewer.panes import Content
from viewer.queue_commands import queue_commands
from viewer.reading import STILL_READING
from viewer.session import AnalysisState, ReadingSession, Tool
from viewer.side_commands import layer_commands, side_commands
from viewer.stepping import active_section, go_to_end, step
from viewer.window_commands import window_commands

__all__ = ["MENUS", "Choice", "Command", "Condition", "Doings", "commands"]

_IN_TOOLBAR = (Tool.WINDOW, Tool.PAN, Tool.ZOOM)


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
        *edit_commands(session),
        *_view_commands(session, doings),
        *pane_commands(session, doings),
        *slab_commands(session),
        *side_commands(session, doings),
        *oblique_commands(session),
        *volume_commands(doings),
        *window_commands(session, doings),
        *_tool_commands(session),
        *measure_commands(session),
        *_analysis_commands(session, doings),
        *queue_commands(session, doings),
        *lesion_commands(session),
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
    @needs("names to be shown: in teaching mode nothing tells what was opened")
    def names_shown() -> bool:
        return not session.manner.names_hidden

    @needs("an open series")
    def is_whole() -> bool:
        return session.volume is not None and not session.reading.active

    return (
        Command("open-files", "Open files…", "Open images: DICOM, NIfTI, NRRD, MHA, PNG, JPEG, a "
                "DICOMDIR or a ZIP archive", "File", doings.open_files, ("Ctrl+O",), toolbar=True),
        Command("open-folder", "Open folder…", "Open a folder of images with all that is in it",
                "File", doings.open_folder, ("Ctrl+Shift+O",), toolbar=True),
        Command("open-sample", "Open sample study", "Open the synthetic chest CT that comes with "
                "SecondRead; it shows nobody", "File", doings.open_sample),
        Command("open-segmentation", "Open segmentation…", "Show a DICOM segmentation (SEG) on the "
                "open series, beside what the machine says", "File", doings.open_segmentation, (),
                is_whole, hindered=partial(_still_reading, session)),
        Command("open-recent", "Open recent", "Open again what was opened before", "File",
                doings.open_last, (), names_shown, choices=doings.recent),
        Command("settings", "Settings…", "Device, models, looks, keys, mouse and folders", "File",
                doings.show_settings, ("Ctrl+,",), separated=True),
        Command("quit", "Quit", "Close SecondRead", "File", doings.quit, ("Ctrl+Q",),
                separated=True),
    )  # fmt: skip


def _view_commands(session: ReadingSession, doings: Doings) -> Sequence[Command]:
    def in_hand() -> ReadingSession:
        """That of the image which was clicked on last: the open one, or the one beside it."""
        return doings.beside() or session

    @needs("an open series")
    def is_open() -> bool:
        return session.volume is not None

    @needs("an open series of DICOM files")
    def is_dicom() -> bool:
        return session.series is not None and session.series.kind is SourceKind.DICOM

    @needs("an open series of several slices")
    def several_slices() -> bool:
        section = active_section(in_hand())
        return section is not None and section.count > 1

    @needs("another series beside the open one")
    def is_comparing() -> bool:
        return doings.is_comparing()

    def reset() -> None:
        """The image that was clicked on last, which may be the volume in 3D."""
        if (other := doings.beside()) is not None:
            other.reset_view()
            return
        pane = doings.three_d()
        if pane is not None and session.arrangement.active_pane.content is Content.VOLUME:
            pane.reset()
        else:
            session.reset_view()

    @needs("several open series")
    def several_series() -> bool:
        return is_open() and sum(len(study.series) for study in session.studies) > 1

    return (
        Command("slice-up", "Next slice up", "Go one slice on: in axial slices towards the head",
                "View", lambda: step(in_hand(), 1), ("Up",), several_slices),
        Command("slice-down", "Next slice down", "Go one slice back: in axial slices towards the "
                "feet", "View", lambda: step(in_hand(), -1), ("Down",), several_slices),
        Command("slice-first", "First slice", "Go to the first slice of the active pane", "View",
                lambda: go_to_end(in_hand(), last=False), ("Home",), several_slices),
        Command("slice-last", "Last slice", "Go to the last slice of the active pane", "View",
                lambda: go_to_end(in_hand(), last=True), ("End",), several_slices),
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
        *layer_commands(session),
        Command("invert", "Invert", "Swap black and white", "View", session.toggle_invert, ("I",),
                is_open, lambda: session.inverted),
        Command("reset", "Reset view", "Fit the picture and go back to the first window", "View",
                reset, ("Space",), is_open, toolbar=True),
        Command("elements", "DICOM elements…", "List every DICOM element of the slice on the "
                "screen, to be searched and copied", "View", doings.show_elements, ("Ctrl+I",),
                is_dicom, separated=True),
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


def _tool_commands(session: ReadingSession) -> Sequence[Command]:
    tools = (
        (Tool.WINDOW, "Window/level", "Drag with the left button to change contrast", "W"),
        (Tool.PAN, "Pan", "Drag with the left button to move the picture", "P"),
        (Tool.ZOOM, "Zoom", "Drag with the left button to enlarge the picture", "Z"),
        (Tool.SCROLL, "Scroll", "Drag with the left button to go through the planes", "S"),
        (Tool.CROSSHAIR, "Crosshair", "Drag with the left button to take all planes to a point",
         "K"),
        (Tool.MAGNIFIER, "Magnifier", "Hold the left button to see a part larger", "J"),
    )  # fmt: skip

    def is_chosen(tool: Tool) -> bool:
        return session.tool is tool

    return tuple(
        Command(f"tool-{tool.value}", text, tip, "Tools", partial(session.set_tool, tool), (key,),
                checked=partial(is_chosen, tool), toolbar=tool in _IN_TOOLBAR)
        for tool, text, tip, key in tools
    )  # fmt: skip


def _analysis_commands(session: ReadingSession, doings: Doings) -> Sequence[Command]:
    @needs("an open series that is not being analysed")
    def can_analyse() -> bool:
        return doings.several_chosen() or (
            session.volume is not None
            and not session.reading.active
            and session.analysis not in {AnalysisState.WAITING, AnalysisState.RUNNING}
        )

    @needs("an open picture that is neither DICOM nor a volume")
    def is_picture() -> bool:
        return (
            can_analyse()
            and session.series is not None
            and session.series.kind is SourceKind.PICTURE
        )

    def is_read_as(modality: str) -> bool:
        return session.volume is not None and session.volume.modality == modality

    return (
        Command("analyse", "Analyse", "Analyse the open series, or those chosen in the study "
                "list, with the machine", "Analysis",
                doings.analyse, ("F5",), can_analyse, toolbar=True,
                hindered=partial(_still_reading, session)),
        Command("cancel", "Cancel", "Stop what is being done; of several analyses that of the "
                "open series, else the one at work; no result is left behind", "Analysis",
                doings.cancel, ("Esc",), needs("work to stop")(doings.is_busy)),
        Command("read-as-ct", "Take picture for a CT slice", "Say that the open picture is one "
                "slice of a CT", "Analysis", partial(doings.read_as, "CT"), (), is_picture,
                partial(is_read_as, "CT"), separated=True),
        Command("read-as-xray", "Take picture for an X-ray", "Say that the open picture is a "
                "chest X-ray", "Analysis", partial(doings.read_as, "DX"), (), is_picture,
                partial(is_read_as, "DX")),
    )  # fmt: skip


def _export_commands(session: ReadingSession, doings: Doings) -> Sequence[Command]:
    @needs("findings; analyse the series first")
    def has_findings() -> bool:
        return session.findings is not None

    @needs("masks; analyse the series first")
    def has_masks() -> bool:
        return session.findings is not None and bool(session.findings.segments)

    @needs("a measurement on the open series")
    def has_measurements() -> bool:
        return bool(session.measurements.measurements)

    @needs("an open series without an analysis at work")
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
                "overlays, but not whose it is", "Export", partial(doings.export, "png"),
                ("Ctrl+E",), is_whole,
                separated=True, hindered=wait),
    )  # fmt: skip
