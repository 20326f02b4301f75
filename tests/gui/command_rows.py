"""What every command does when its key is pressed: one row for each, see `ROWS` at the end.

`tests.gui.test_command_table` presses the keys and fails for a command without a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QDialog, QMenu, QWidget

from inference.findings import Findings, Manifestation
from inference.lesion_review import Verdict
from inference.measurements import Kind
from inference.quantify import measure
from inference.studies.model import SourceKind, Study, Unit, Volume, Window
from tests.gui.handling import is_whole
from viewer import theme
from viewer.arrangement import CINE_SPEEDS
from viewer.cards import CardsDialog
from viewer.elements_dialog import ElementsDialog
from viewer.keys_dialog import KeysDialog
from viewer.layouts_dialog import LayoutsDialog
from viewer.panes import Content, Layout, Pane, SlabMode
from viewer.preferences import SettingsDialog
from viewer.session import Tool
from viewer.window import MainWindow

__all__ = ["ROWS", "Hand", "Row"]


@dataclass
class Hand:
    """A window with a CT of 12 slices on the screen, and what rows may ask for.

    `asked` are the titles of the modal dialogs that came up; each is answered with Cancel.
    """

    qtbot: Any
    window: MainWindow
    system: Any
    make_study: Callable[..., Study]
    make_volume: Callable[..., Volume]
    make_findings: Callable[..., Findings]
    write_ct: Callable[..., Path]
    patch: pytest.MonkeyPatch
    asked: list[str] = field(default_factory=list)

    @property
    def session(self) -> Any:
        """Of the window."""
        return self.window.session

    @property
    def panes(self) -> Any:
        """The arrangement of the window's session."""
        return self.window.session.arrangement

    def afresh(self, number: int) -> None:
        """Open another CT in one plain pane, with everything as at the start."""
        session, panes = self.session, self.panes
        while (menu := QApplication.activePopupWidget()) is not None:
            menu.close()
        for dialog in self.window.findChildren(QDialog):
            dialog.close()
        session.close_volume()
        if panes.panes != (Pane(),):
            panes.set_layout(Layout("Bare", ((Content.CORONAL,),)))
            panes.set_layout(Layout("One", ((Content.STACK,),)))
        panes.change_speed(CINE_SPEEDS.index(10.0) - CINE_SPEEDS.index(panes.cine_speed))
        session.set_tool(Tool.ELLIPSE)
        # The same study, so that the list stays short; other series, so that nothing was measured.
        study = self.make_study(f"1.2.3.{number}.1", f"1.2.3.{number}.2")
        session.add_studies((study,))
        session.set_volume(study, study.series[0], self.make_volume(study.series[0].uid), 0.5)
        self.window.view.setFocus()

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for what goes on beside the window."""
        self.qtbot.waitUntil(holds, timeout=20_000)


@dataclass(frozen=True)
class Row:
    """One command.

    Parameters
    ----------
    keys
        With which it comes, as the program declares them; one, several, or none.
    see
        What shows whether it was done.
    before, after
        What that gives before and after.
    then
        And after further presses, one each.
    given
        Has to be so before.
    last
        It ends the window, which therefore is one of its own.
    """

    keys: str | tuple[str, ...]
    see: Callable[[Hand], object]
    before: object
    after: object
    then: tuple[object, ...] = ()
    given: Callable[[Hand], object] = lambda _hand: None
    last: bool = False

    @property
    def presses(self) -> tuple[str, ...]:
        """Every key; the empty text stands for the menu."""
        keys = (self.keys,) if isinstance(self.keys, str) else self.keys
        return keys or ("",)


def toggle(keys: str, see: Callable[[Hand], object], before: object = False, **more: Any) -> Row:
    """A command that is done and undone by the same key."""
    return Row(keys, see, before, not before, (before,), **more)


def tab(name: str) -> Callable[[Hand], object]:
    """Bring a tab to the front."""
    return lambda hand: hand.window.sides.show_tab(name)


def tab_row(keys: str, name: str, other: str) -> Row:
    """A tab comes to the front."""
    page = f"{name}_panel"
    return Row(keys, lambda hand: getattr(hand.window, page).isVisible(), False, True,
               given=tab(other))  # fmt: skip


def layer(keys: str, key: Manifestation) -> Row:
    """A mask is hidden and shown."""
    return toggle(keys, lambda hand: hand.session.layer(key).visible, True)


def explained(hand: Hand) -> object:
    """The class whose heatmap is asked for."""
    choice = hand.session.heatmap_choice
    return None if choice is None else choice.key


def opened_menu() -> str:
    """Title of the menu that is open."""
    menu = QApplication.activePopupWidget()
    return menu.title().replace("&", "") if isinstance(menu, QMenu) else ""


# -- what is seen ----------------------------------------------------------------------------------


def position(hand: Hand) -> object:
    """The slice on the screen."""
    return hand.session.position


def contents(hand: Hand) -> object:
    """What the panes show, in order."""
    return " ".join(pane.content.value for pane in hand.panes.panes)


def uid_end(hand: Hand) -> object:
    """How many slices the open series has: those on the disc differ in it."""
    return hand.session.volume.shape[0] if is_whole(hand.window) else None


def letters(hand: Hand) -> object:
    """Left and top of the picture."""
    found = hand.window.view.annotations().letters
    return found.left + found.top if found else ""


def notes(hand: Hand) -> object:
    """Of the measurements, as in the table; a star is at the selected one."""
    table = hand.window.measurements_panel.table
    return [table.item(row, table.columnCount() - 1).text() for row in range(table.rowCount())]


def asked(hand: Hand) -> object:
    """Titles of the dialogs that came up."""
    return list(hand.asked)


def in_colour(hand: Hand) -> object:
    """Whether some of the pane's middle is in colour."""
    seen = hand.window.picture().convertToFormat(QImage.Format.Format_RGB32)
    values = np.frombuffer(seen.constBits(), np.uint8).reshape(seen.height(), seen.width(), 4)
    middle = values[
        seen.height() // 4 : -seen.height() // 4, seen.width() // 4 : -seen.width() // 4
    ]
    spread = middle[..., :3].max(-1).astype(int) - middle[..., :3].min(-1)
    return bool((spread > 30).mean() > 0.005)


def level(hand: Hand) -> object:
    """Centre and width of the window in use."""
    return hand.session.window.centre, hand.session.window.width


def tool(hand: Hand) -> object:
    """In the hand."""
    return hand.session.tool.value


def slab(hand: Hand) -> object:
    """How the planes of the pane become one, and how thick."""
    return hand.panes.active_pane.slab.mode.name, hand.panes.active_pane.slab.mm


def leans(hand: Hand) -> object:
    """Which of top, bottom, left and right of the oblique plane lie further away at the back."""
    tilt = next(p for p in hand.panes.panes if p.content is Content.OBLIQUE).tilt
    ends = (("top", -tilt.down[1]), ("bottom", tilt.down[1]), ("left", -tilt.right[1]),
            ("right", tilt.right[1]))  # fmt: skip
    return [name for name, back in ends if back > 1e-6]


def in_3d(hand: Hand) -> object:
    """What the 3D pane was asked for."""
    return list(hand.window.panes.volume_pane.asked)


def shown(kind: type[QWidget]) -> Callable[[Hand], object]:
    """Whether a dialog, panel or palette of the window is visible."""
    return lambda hand: any(each.isVisible() for each in hand.window.findChildren(kind))


def size(hand: Hand) -> object:
    """Screen pixels a picture pixel, and a mm, as far as they are round."""
    framing = hand.window.view._framing
    dots = hand.window.screen().physicalDotsPerInch() / 25.4
    if abs(framing.scale_x * hand.window.view.devicePixelRatioF() - 1.0) < 1e-6:
        return "pixels"
    if abs(framing.pixels_per_mm / dots - 1.0) < 1e-6:
        return "true"
    return "fit" if framing.zoom == 1.0 else "other"


# -- what has to be so before ----------------------------------------------------------------------


def laid_out(name: str, active: int = 0) -> Callable[[Hand], None]:
    """A layout of the program."""

    def lay(hand: Hand) -> None:
        hand.window.actions_[f"layout-{name}"].trigger()
        hand.panes.activate(active)

    return lay


def holding(held: Tool) -> Callable[[Hand], None]:
    """A tool in the hand."""
    return lambda hand: hand.session.set_tool(held)


def measured(hand: Hand) -> None:
    """Two lines on the slice on the screen, the first one selected."""
    notebook, plane = hand.session.measurements, float(hand.session.position)
    hand.until(lambda: notebook.loaded)
    for row, note in ((2.0, "one"), (9.0, "two")):
        notebook.add(Kind.LENGTH, [(2.0, row, plane), (12.0, row, plane)], 2, note)
    notebook.select(notebook.measurements[0].id)


def measured_and_undone(hand: Hand) -> None:
    """One line, and one that was taken back."""
    measured(hand)
    hand.session.measurements.undo()


def analysed(hand: Hand) -> None:
    """Findings, on the slice with most of the first one."""
    hand.session.set_findings(hand.make_findings(hand.session.volume))
    hand.session.go_to_segment(Manifestation.GGO)


def lesions_listed(hand: Hand) -> None:
    """Findings with three listed lesions."""
    volume = hand.session.volume
    findings = hand.make_findings(volume)
    mask = np.zeros(volume.shape, bool)
    for number, top in enumerate((2, 14, 26)):
        mask[3:7, top : top + 8 - number, 4:12] = True
    segments = tuple(
        measure(each.key, mask & (each.key is Manifestation.GGO), volume, findings.lungs,
                each.model)
        for each in findings.segments
    )  # fmt: skip
    hand.session.set_findings(replace(findings, segments=segments))
    hand.until(lambda: hand.session.lesions.listed is not None)
    assert hand.window.lesions_panel.table.order == (1, 2, 3)


def lesion_chosen(hand: Hand) -> None:
    """The first of them is chosen."""
    lesions_listed(hand)
    hand.session.review.choose(1)


def chosen_lesion(hand: Hand) -> int:
    """Number of the chosen lesion; 0 where none is."""
    chosen = hand.session.review.chosen
    return 0 if chosen is None else int(chosen.number)


def verdict(hand: Hand) -> Verdict | None:
    """What was decided of the first lesion."""
    found: Verdict | None = hand.session.review.decision(1).verdict
    return found


def at_work(hand: Hand) -> None:
    """An analysis that goes on until it is let go."""
    hand.system.go.clear()
    hand.window.analyst.start()
    hand.until(lambda: hand.window.busy and hand.session.stage[1] > 0)


def a_picture(hand: Hand) -> None:
    """One slice that does not say what it is."""
    study = hand.make_study("1.2.9", uid="1.2.9.0", kind=SourceKind.PICTURE)
    volume = hand.make_volume(
        "1.2.9", array=np.full((1, 40, 32), 9, np.uint8), unit=Unit.GREY, modality="OT", windows=()
    )
    hand.session.set_volume(study, study.series[0], volume)


def three_on_the_disc(hand: Hand) -> None:
    """Series of 2, 3 and 4 slices in the list; the middle one is open."""
    folders = [hand.write_ct(f"{n}", slices=n, size=32, seed=f"{n}") for n in (2, 3, 4)]
    for number, folder in enumerate(folders, start=2):
        hand.window.opener.open_paths([folder])
        hand.until(lambda n=number: not hand.window.busy and uid_end(hand) == n)
    study = next(s for s in hand.session.studies if len(s.series[0].slices) == 3)
    hand.window.opener.show_series(study, study.series[0])
    hand.until(lambda: not hand.window.busy and uid_end(hand) == 3)


def a_short_sample(hand: Hand) -> None:
    """Making the true one takes half a minute."""
    folder = hand.write_ct("sample", slices=6, size=32, seed="sample")
    hand.patch.setattr("inference.sample.ensure", lambda _progress: folder)


def remembered(hand: Hand) -> None:
    """A series of 5 slices that was opened once."""
    hand.window.recent.add([hand.write_ct("yore", slices=5, size=32, seed="yore")])


def beside(hand: Hand) -> None:
    """Another series beside the open one."""
    study = hand.session.study
    volume = hand.make_volume(study.series[1].uid)
    hand.window.comparison.other.set_volume(study, study.series[1], volume)


def thick(hand: Hand) -> None:
    """A slab of 10 mm."""
    pane = hand.panes.active_pane
    hand.panes.set_slab(replace(pane.slab, mode=SlabMode.MAXIMUM, mm=10.0))


def out_of_order(hand: Hand) -> None:
    """Another window, and a turned picture."""
    hand.session.set_window(Window(7.0, 70.0, "odd"))
    hand.window.actions_["rotate-right"].trigger()


def own_kept(number: int) -> Callable[[Hand], None]:
    """A preset of the reader's own, and another window in use."""

    def keep(hand: Hand) -> None:
        first = hand.session.window
        hand.session.set_window(Window(7.0, 70.0))
        hand.window.habits.keep_preset(number)
        hand.session.set_window(first)

    return keep


def none_kept(hand: Hand) -> None:
    """No preset of the reader's own."""
    chosen = hand.window.habits.chosen
    chosen.choose(replace(chosen.now, presets={}))


def own_of(number: int) -> Callable[[Hand], object]:
    """Centre and width of a preset; None where there is none."""

    def look(hand: Hand) -> object:
        preset = hand.session.manner.presets[number - 1]
        return None if preset is None else (preset.centre, preset.width)

    return look


def turned_and_leaning(hand: Hand) -> None:
    """An oblique plane that was turned."""
    laid_out("oblique")(hand)
    hand.window.actions_["oblique-back"].trigger()


def side(key: str, name: str) -> Row:
    """A look from a side of the patient."""

    def with_3d(hand: Hand) -> None:
        laid_out("four")(hand)
        hand.window.panes.volume_pane.asked.clear()

    return Row(key, in_3d, [], [name], given=with_3d)


def layout(key: str, shows: str) -> Row:
    """A layout of the program."""
    return Row(key, contents, "oblique", shows, given=only(Content.OBLIQUE))


def only(content: Content) -> Callable[[Hand], None]:
    """Nothing but these planes."""
    return lambda hand: hand.panes.update_pane(0, Pane(content))


def here(content: Content, before: Content = Content.STACK) -> Row:
    """Other planes in the pane."""
    return Row((), contents, before.value, content.value, given=only(before))


def in_hand(key: str, chosen: Tool, before: Tool = Tool.WINDOW) -> Row:
    """A tool is taken."""
    return Row(key, tool, before.value, chosen.value, given=holding(before))


def export(title: str, given: Callable[[Hand], object] = analysed, keys: str | tuple = ()) -> Row:
    """Where to, is asked; `tests.gui.test_window_files` reads what is then written."""
    return Row(keys, asked, [], [title], given=given)


def opens(keys: str | tuple[str, ...], kind: type[QWidget]) -> Row:
    """A dialog of the window."""
    return Row(keys, shown(kind), False, True)


LUNG = (-600.0, 1500.0)
FILE_1, FILE_2 = (-500.0, 1400.0), (50.0, 400.0)

ROWS: dict[str, Row] = {
    # File
    "open-files": Row("Ctrl+O", asked, [], ["Open images"]),
    "open-segmentation": Row((), asked, [], ["Open a segmentation"]),
    "open-folder": Row("Ctrl+Shift+O", asked, [], ["Open a folder of images"]),
    "open-sample": Row((), uid_end, 12, 6, given=a_short_sample),
    "open-recent": Row((), uid_end, 12, 5, given=remembered),
    "settings": opens("Ctrl+,", SettingsDialog),
    "quit": Row("Ctrl+Q", lambda hand: hand.window.isVisible(), True, False, last=True),
    # Edit
    "undo": Row("Ctrl+Z", notes, ["one", "two"], ["one"], ([],), given=measured),
    "redo": Row(("Ctrl+Shift+Z", "Ctrl+Y"), notes, ["one"], ["one", "two"],
                given=measured_and_undone),
    "measurement-delete": Row(("Del", "Backspace"), notes, ["one", "two"], ["two"],
                              given=measured),
    "measurements-clear": Row((), notes, ["one", "two"], [], given=measured),
    # Lesions
    "lesion-next": Row("N", chosen_lesion, 0, 1, (2,), given=lesions_listed),
    "lesion-previous": Row("Shift+N", chosen_lesion, 0, 3, (2,), given=lesions_listed),
    "lesion-accept": Row("Y", verdict, None, Verdict.ACCEPTED, (None,), given=lesion_chosen),
    "lesion-reject": Row("X", verdict, None, Verdict.REJECTED, (None,), given=lesion_chosen),
    # View
    "slice-up": Row("Up", position, 6, 7, (8,)),
    "slice-down": Row("Down", position, 6, 5, (4,)),
    "slice-first": Row("Home", position, 6, 0),
    "slice-last": Row("End", position, 6, 11),
    "series-next": Row("PgDown", uid_end, 3, 4, given=three_on_the_disc),
    "series-previous": Row("PgUp", uid_end, 3, 2, given=three_on_the_disc),
    "compare": Row("Ctrl+B", asked, [], ["Compare with"]),
    "compare-close": Row((), lambda hand: hand.window.compare_pane.isVisible(), True, False,
                         given=beside),
    "overlays": toggle("G", in_colour, True, given=analysed),
    "invert": toggle("I", lambda hand: hand.session.inverted),
    "reset": Row("Space", lambda hand: (level(hand), letters(hand)), ((7.0, 70.0), "PR"),
                 (LUNG, "RA"), given=out_of_order),
    "elements": opens("Ctrl+I", ElementsDialog),
    "hide-names": toggle("F8", lambda hand: "Doe" in hand.window.tree.tree.topLevelItem(0).text(0),
                         True),
    "theme": toggle("Ctrl+Shift+L", lambda _hand: theme.looks().light),
    "safe-colours": toggle((), lambda _hand: theme.looks().safe),
    "full-screen": toggle("F11", lambda hand: hand.window.isFullScreen()),
    # Panes
    "layout-one": layout("Alt+1", "stack"),
    "layout-two": layout("Alt+2", "axial coronal"),
    "layout-mpr": layout("Alt+3", "axial coronal sagittal"),
    "layout-four": layout("Alt+4", "axial sagittal coronal volume"),
    "layout-oblique": Row("Alt+5", contents, "stack", "axial sagittal coronal oblique"),
    "layouts": opens((), LayoutsDialog),
    "pane-stack": here(Content.STACK, Content.AXIAL),
    "pane-axial": here(Content.AXIAL),
    "pane-coronal": here(Content.CORONAL),
    "pane-sagittal": here(Content.SAGITTAL),
    "pane-oblique": here(Content.OBLIQUE),
    "pane-volume": here(Content.VOLUME),
    "maximise": Row("M", lambda hand: sum(v.isVisible() for v in hand.window.panes.views), 3, 1,
                    (3,), given=laid_out("mpr")),
    "tear-off": Row("Ctrl+Shift+T", lambda hand: len(hand.window.panes.torn), 0, 1, (0,),
                    given=laid_out("mpr")),
    "crosshair": toggle("Shift+K", lambda hand: hand.panes.crosshair_on, True,
                        given=laid_out("mpr")),
    "flip-across": Row("H", letters, "RA", "LA", ("RA",)),
    "flip-down": Row("V", letters, "RA", "RP", ("RA",)),
    "rotate-right": Row("R", letters, "RA", "PR", ("LP",)),
    "rotate-left": Row("L", letters, "RA", "AL", ("LP",)),
    "layer-ggo": layer("Shift+G", Manifestation.GGO),
    "layer-consolidation": layer("Shift+C", Manifestation.CONSOLIDATION),
    "layer-effusion": layer("Shift+E", Manifestation.EFFUSION),
    "heatmap": Row("E", explained, None, "covid-19", ("not-covid-19", None), given=analysed),
    "fit": Row("Ctrl+0", size, "pixels", "fit",
               given=lambda hand: hand.window.actions_["pixels"].trigger()),
    "pixels": Row("Ctrl+1", size, "fit", "pixels"),
    "true-size": Row("Ctrl+2", size, "fit", "true"),
    "cine": toggle("C", lambda hand: hand.panes.cine_running),
    "cine-faster": Row("Ctrl+Right", lambda hand: hand.panes.cine_speed, 10, 15, (20,)),
    "cine-slower": Row("Ctrl+Left", lambda hand: hand.panes.cine_speed, 10, 5, (2,)),
    "slab-thin": Row("Shift+P", slab, ("MAXIMUM", 10), ("THIN", 10), given=thick),
    "slab-maximum": Row("Shift+M", slab, ("THIN", 10), ("MAXIMUM", 10)),
    "slab-minimum": Row("Shift+B", slab, ("THIN", 10), ("MINIMUM", 10)),
    "slab-mean": Row("Shift+V", slab, ("THIN", 10), ("MEAN", 10)),
    "slab-thicker": Row("Shift+Up", slab, ("MAXIMUM", 10), ("MAXIMUM", 15), given=thick),
    "slab-thinner": Row("Shift+Down", slab, ("MAXIMUM", 10), ("MAXIMUM", 5), given=thick),
    "oblique-back": Row("Alt+Up", leans, [], ["top"], given=laid_out("oblique")),
    "oblique-forward": Row("Alt+Down", leans, [], ["bottom"], given=laid_out("oblique")),
    "oblique-left": Row("Alt+Left", leans, [], ["left"], given=laid_out("oblique")),
    "oblique-right": Row("Alt+Right", leans, [], ["right"], given=laid_out("oblique")),
    "oblique-straight": Row((), leans, ["top"], [], given=turned_and_leaning),
    # Panels, tabs, image, menus
    "panels": toggle("F9", lambda hand: hand.window.tree.isVisible(), True),
    "panel-studies": toggle("Shift+F9", lambda hand: hand.window.tree.isVisible(), True),
    "panel-findings": toggle("Ctrl+F9", lambda hand: hand.window.layers_panel.isVisible(), True,
                             given=tab("layers")),
    "tab-findings": tab_row("F2", "findings", "lesions"),
    "tab-lesions": tab_row("F3", "lesions", "findings"),
    "tab-layers": tab_row("F4", "layers", "timing"),
    "tab-measurements": tab_row("F6", "measurements", "layers"),
    "tab-patterns": tab_row("F7", "patterns", "layers"),
    "tab-timing": tab_row("F12", "timing", "layers"),
    "to-picture": Row("Shift+Space", lambda hand: hand.window.view.hasFocus(), False, True,
                      given=lambda hand: hand.window.strip.setFocus()),
    "menus": Row("F10", lambda _hand: opened_menu(), "", "File"),
    # 3D
    "3d-anterior": side("Alt+Shift+A", "anterior"),
    "3d-posterior": side("Alt+Shift+P", "posterior"),
    "3d-left": side("Alt+Shift+L", "left"),
    "3d-right": side("Alt+Shift+R", "right"),
    "3d-head": side("Alt+Shift+H", "head"),
    "3d-feet": side("Alt+Shift+F", "feet"),
    "3d-reset": side("Alt+0", "reset"),
    "3d-turntable": toggle("Alt+Shift+T", lambda hand: hand.window.panes.volume_pane.turning,
                           given=laid_out("four")),
    "3d-box": toggle("Alt+Shift+B", lambda hand: hand.window.panes.volume_pane.clipping,
                     given=laid_out("four")),
    # Window level
    "preset-1": Row("1", level, (7, 70), LUNG, given=out_of_order),
    "preset-2": Row("2", level, LUNG, (40, 400)),
    "preset-3": Row("3", level, LUNG, (350, 2000)),
    "preset-4": Row("4", level, LUNG, (50, 350)),
    "preset-5": Row("5", level, LUNG, (300, 600)),
    "preset-6": Row("6", level, LUNG, (60, 160)),
    "preset-7": Row("7", level, LUNG, (-500, 2000)),
    "preset-8": Row("8", level, LUNG, (7, 70), given=own_kept(8)),
    "preset-9": Row("9", level, LUNG, (7, 70), given=own_kept(9)),
    "preset-keep-8": Row((), own_of(8), None, LUNG, given=none_kept),
    "preset-keep-9": Row((), own_of(9), None, LUNG, given=none_kept),
    "own-window": Row("0", level, LUNG, FILE_1, (FILE_2, FILE_1)),
    "percentile-window": Row((), lambda hand: hand.session.window.name, "Lung", "1-99 %"),
    # Tools and measuring
    "tool-window": in_hand("W", Tool.WINDOW, Tool.PAN),
    "tool-pan": in_hand("P", Tool.PAN),
    "tool-zoom": in_hand("Z", Tool.ZOOM),
    "tool-scroll": in_hand("S", Tool.SCROLL),
    "tool-crosshair": in_hand("K", Tool.CROSSHAIR),
    "tool-magnifier": in_hand("J", Tool.MAGNIFIER),
    "tool-length": in_hand("D", Tool.LENGTH),
    "tool-bidirectional": in_hand("B", Tool.BIDIRECTIONAL),
    "tool-angle": in_hand("A", Tool.ANGLE),
    "tool-cobb": in_hand("Shift+A", Tool.COBB),
    "tool-rectangle": in_hand("Q", Tool.RECTANGLE),
    "tool-ellipse": in_hand("O", Tool.ELLIPSE),
    "tool-freehand": in_hand("F", Tool.FREEHAND),
    "tool-probe": in_hand("U", Tool.PROBE),
    "tool-text": in_hand("T", Tool.TEXT),
    "tool-arrow": in_hand("Shift+T", Tool.ARROW),
    # Analysis and export
    "analyse": Row("F5", lambda hand: hand.session.findings is not None, False, True),
    "cancel": Row("Esc", lambda hand: hand.session.analysis.name, "RUNNING", "CANCELLED",
                  given=at_work),
    "analyse-all": Row("Shift+F5", lambda hand: hand.session.findings is not None, False, True),
    "cancel-all": Row("Shift+Esc", lambda hand: hand.session.analysis.name, "RUNNING", "CANCELLED",
                      given=at_work),
    "read-as-ct": Row((), lambda hand: hand.session.volume.modality, "OT", "CT", given=a_picture),
    "read-as-xray": Row((), lambda hand: hand.session.volume.modality, "OT", "DX",
                        given=a_picture),
    "export-seg": export("Export DICOM segmentation"),
    "export-nifti": export("Export label map"),
    "export-csv": export("Export lesion list"),
    "export-json": export("Export findings"),
    "export-measurements": export("Export measurements", measured),
    "export-sr": export("Export DICOM report", measured),
    "export-png": export("Export picture", keys="Ctrl+E"),
    # Help
    "palette": Row("Ctrl+K", lambda hand: hand.window.habits.palette.isVisible(), False, True),
    "keys": opens(("?", "F1"), KeysDialog),
    "cards": opens((), CardsDialog),
}  # fmt: skip
"""Every command of the window by its id. For a new command add one line: its key (`()` where it has
none), what shows it, what that is before and after, and what has to be so first (`given`)."""
