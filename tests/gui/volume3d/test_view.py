"""The 3D pane as the reader sees it: pixels, words, mouse and keys."""

from __future__ import annotations

import multiprocessing
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QToolButton, QWidget

from inference.errors import ExportRefusedError
from inference.findings import Manifestation
from inference.studies.model import Unit
from tests.gui.heartbeat import Heartbeat
from viewer.session import AnalysisState
from viewer.theme import findings_colour
from viewer.volume3d import process
from viewer.volume3d import scene as scene_module
from viewer.volume3d.view import VolumeView

LEFT = Qt.MouseButton.LeftButton
WAIT_MS = 60_000
LONGEST_STALL_MS = 250.0
"""Seconds for which the window may not answer while 3D is at work, on a busy machine."""


def rendering() -> list:
    return [p for p in multiprocessing.active_children() if p.name == "SecondRead 3D"]


def half_of(picture: np.ndarray) -> str:
    middle = picture.shape[1] // 2
    left, right = picture[:, :middle].sum(), picture[:, middle:].sum()
    return "left" if left > 20 * right else "right" if right > 20 * left else "both"


def colour_share(image: QImage, key: Manifestation) -> float:
    """Share of pixels that have a manifestation's hue."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    pixels = flat[..., 2::-1].astype(float)
    shade = findings_colour(key)
    wanted = np.array([shade.red(), shade.green(), shade.blue()], float)
    length = np.linalg.norm(pixels, axis=-1)
    cosine = (pixels @ wanted) / np.maximum(1.0, length) / np.linalg.norm(wanted)
    return float(np.mean((cosine > 0.98) & (length > 60)))


def test_the_patient_s_left_is_on_the_right_of_the_anterior_view(show, pane, sharp):
    show(at=(30.0, 0.0, 0.0))
    assert half_of(sharp()) == "right"
    pane.look_from("posterior")
    assert half_of(sharp()) == "left"
    pane.look_from("head")
    assert half_of(sharp()) == "left"
    pane.look_from("feet")
    assert half_of(sharp()) == "right"


@pytest.mark.parametrize("view", ["anterior", "left", "feet"])
def test_a_place_is_drawn_where_the_overlay_projects_it(show, pane, sharp, screen, view):
    """Slice, box and picking rest on it: Python's projection is VTK's, to a pixel or two."""
    at = (24.0, -14.0, 21.0)
    show(at=at, radius=9.0)
    pane.show()
    pane.look_from(view)
    picture = sharp()
    rows, columns = np.nonzero(picture > picture.max() / 2)
    assert columns.mean() == pytest.approx(screen(at).x(), abs=2.0)
    assert rows.mean() == pytest.approx(screen(at).y(), abs=2.0)


def test_a_sheared_volume_is_where_the_patient_is(show, pane, sharp, screen):
    tilted = np.array([[2, 0, 0, -59], [0, 2, 0.8, -59], [0, 0, 3, -60], [0, 0, 0, 1]], float)
    volume = show(affine=tilted)
    index = np.argwhere(volume.array > 0).mean(0)
    at = (tilted @ [index[2], index[1], index[0], 1.0])[:3]
    pane.show()
    pane.look_from("left")
    picture = sharp()
    rows, columns = np.nonzero(picture > picture.max() / 2)
    assert columns.mean() == pytest.approx(screen(at).x(), abs=2.5)
    assert rows.mean() == pytest.approx(screen(at).y(), abs=2.5)


def test_it_says_what_it_shows(show, pane, sharp):
    show()
    sharp()
    said = pane.canvas.accessibleDescription()
    assert "Bone" in said
    assert "shown at 2 mm" in said
    assert "CPU ray casting: slower, coarser" in said


def test_nothing_runs_until_it_is_shown_and_nothing_after_it_is_hidden(show, pane, sharp):
    show()
    assert not rendering()
    sharp()
    assert len(rendering()) == 1
    pane.hide()
    assert not rendering()
    assert pane.canvas.image is None
    assert sharp().max() > 100
    threads = [t for t in threading.enumerate() if t.name == "3D"]
    assert len(threads) == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"array": np.zeros((1, 60, 60), np.int16)}, "One slice"),
        ({"has_geometry": False}, "distance between the slices"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(qtbot, show, pane, settings, words):
    show(**settings)
    with qtbot.waitExposed(pane, timeout=20_000):
        pane.show()
    assert words in pane.scene.sentence
    assert words in pane.canvas.accessibleDescription()
    with pytest.raises(ExportRefusedError, match=words):
        pane.picture()


def test_an_empty_session_invites(pane):
    assert "Open a series" in pane.scene.sentence


def test_letters_follow_the_picture_and_are_absent_without_orientation(show, pane, sharp):
    show()
    sharp()
    letters = pane.canvas.annotations().letters
    assert (letters.left, letters.right, letters.top, letters.bottom) == ("R", "L", "H", "F")
    pane.look_from("left")
    sharp()
    letters = pane.canvas.annotations().letters
    assert (letters.left, letters.right) == ("A", "P")
    show(uid="4", has_orientation=False)
    sharp()
    assert pane.canvas.annotations().letters is None


def test_the_corners_say_whose_it_is_but_not_in_the_exported_picture(
    show, session, pane, sharp, monkeypatch
):
    show()
    sharp()
    written = pane.canvas.annotations()
    assert [line.text for line in written.whose] == ["Doe, Jane", "4711"]
    assert [line.text for line in written.acquired] == ["Chest", "Chest"]
    drawn: list[str] = []
    monkeypatch.setattr(
        "viewer.volume3d.canvas.draw", lambda _, placed: drawn.extend(e.text for e in placed)
    )
    pane.picture()
    assert drawn
    assert not any("Doe" in text or "4711" in text for text in drawn)
    session.manner.toggle_names()
    assert [line.text for line in pane.canvas.annotations().whose] == ["CT  ·  names hidden"]


def test_the_banner_is_in_the_exported_picture(show, pane, sharp, brightness):
    show(at=(0.0, 0.0, 0.0))
    sharp()
    pane.canvas.show_slice(False)
    picture = brightness(pane.picture())
    bottom = picture[-24:, 60:-60]
    assert (bottom > 300).sum() > 100
    assert picture[picture.shape[0] // 2, picture.shape[1] // 2] > 200


def test_a_volume_without_hu_is_a_grey_ramp(show, pane, sharp):
    show(unit=Unit.GREY, modality="OT")
    assert sharp().max() > 100
    assert "Grey" in pane.canvas.accessibleDescription()


def test_lesions_have_their_colours_and_follow_the_layers(
    qtbot, show, analysed, session, pane, sharp, ball, brightness
):
    show()
    pane.choose_preset("Surfaces only")
    sharp()
    analysed({Manifestation.GGO: ball((-25.0, 0.0, 10.0), 14.0)}, lungs=ball((0, 0, 0), 45.0))
    assert "surfaces" in pane.scene.busy_text
    sharp()
    seen = colour_share(pane.canvas.image, Manifestation.GGO)
    assert seen > 0.01
    assert pane.scene.has_lungs
    session.toggle_overlays()
    sharp()
    assert brightness(pane.canvas.image).max() == 0
    session.toggle_overlays()
    session.update_layer(replace(session.layer(Manifestation.GGO), visible=False))
    sharp()
    assert colour_share(pane.canvas.image, Manifestation.GGO) < seen / 10
    assert brightness(pane.canvas.image).max() > 20, "the lungs are still there"
    lungs = pane.findChild(QToolButton, "lungs-3d")
    lungs.click()
    sharp()
    assert brightness(pane.canvas.image).max() == 0


def test_surfaces_of_findings_that_are_gone_are_never_shown(
    show, analysed, session, pane, sharp, ball
):
    show()
    pane.choose_preset("Surfaces only")
    analysed({Manifestation.GGO: ball((-25.0, 0.0, 10.0), 14.0)})
    sharp()
    session.set_analysis(AnalysisState.RUNNING)
    assert pane.canvas.image is None
    assert sharp().max() == 0


def test_a_lesion_inside_the_volume_hides_behind_bone(show, analysed, pane, sharp, ball):
    show(at=(0.0, 0.0, 0.0), radius=18.0)
    analysed({Manifestation.CONSOLIDATION: ball((0.0, 40.0, 0.0), 10.0)})
    sharp()
    assert colour_share(pane.canvas.image, Manifestation.CONSOLIDATION) < 0.001
    pane.look_from("posterior")
    sharp()
    assert colour_share(pane.canvas.image, Manifestation.CONSOLIDATION) > 0.01


def test_the_box_cuts_by_its_handles_and_reset_undoes_it(qtbot, show, pane, sharp, screen):
    show(at=(30.0, 0.0, 0.0))
    whole = sharp().sum()
    pane.toggle_clipping()
    assert sharp().sum() == pytest.approx(whole, rel=0.01)
    handle = screen(tuple(pane.canvas.box.handles()[3]))
    target = screen((0.0, 0.0, 0.0))
    qtbot.mousePress(pane.canvas, LEFT, pos=handle.toPoint())
    qtbot.mouseMove(pane.canvas, target.toPoint())
    qtbot.mouseRelease(pane.canvas, LEFT, pos=target.toPoint())
    assert sharp().sum() < whole / 50
    pane.reset()
    assert pane.clipping
    assert sharp().sum() == pytest.approx(whole, rel=0.01)


def test_the_mouse_turns_moves_and_zooms_and_a_double_click_resets(qtbot, show, pane, sharp):
    show()
    sharp()
    canvas, first = pane.canvas, pane.canvas.camera
    for button, name in (
        (LEFT, "azimuth"), (Qt.MouseButton.MiddleButton, "across"),
        (Qt.MouseButton.RightButton, "zoom"),
    ):  # fmt: skip
        before = canvas.camera
        qtbot.mousePress(canvas, button, pos=QPoint(100, 100))
        qtbot.mouseMove(canvas, QPoint(140, 130))
        qtbot.mouseRelease(canvas, button, pos=QPoint(140, 130))
        assert getattr(canvas.camera, name) != getattr(before, name)
    qtbot.mouseDClick(canvas, LEFT, pos=QPoint(100, 100))
    assert canvas.camera == first


def test_keys_turn_and_zoom_and_leave_the_arrows_to_the_slices(qtbot, show, pane, sharp):
    show()
    sharp()
    canvas = pane.canvas
    qtbot.keyClick(canvas, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert canvas.camera.azimuth == -10.0
    qtbot.keyClick(canvas, Qt.Key.Key_Plus)
    assert canvas.camera.zoom == pytest.approx(1.2)
    before = canvas.camera
    qtbot.keyClick(canvas, Qt.Key.Key_Up)
    assert canvas.camera == before


def test_a_click_goes_to_the_slice(qtbot, show, session, pane, sharp, screen):
    at = (20.0, 0.0, 33.0)
    affine = show(at=at, radius=10.0).affine
    sharp()
    spot = screen(at).toPoint()
    qtbot.mouseClick(pane.canvas, LEFT, pos=spot)
    slice_there = round((at[2] - affine[2, 3]) / affine[2, 2])
    assert session.position != slice_there
    qtbot.waitUntil(lambda: session.position == slice_there, timeout=WAIT_MS)


def test_scrolling_moves_the_marker_without_another_picture(
    qtbot, show, session, pane, sharp, brightness
):
    show()
    sharp()
    before = brightness(pane.canvas.grab().toImage())
    shown = pane.canvas.image
    session.set_position(5)
    after = brightness(pane.canvas.grab().toImage())
    assert pane.canvas.image is shown
    assert not pane.scene.waiting
    assert (before != after).sum() > 100


def test_the_turntable_turns_until_something_is_touched(qtbot, show, pane, sharp):
    show()
    sharp()
    start = pane.canvas.camera.azimuth
    pane.toggle_turntable()
    qtbot.waitUntil(lambda: abs(pane.canvas.camera.azimuth - start) >= 6, timeout=WAIT_MS)
    qtbot.mousePress(pane.canvas, LEFT, pos=QPoint(50, 50))
    assert not pane.turning
    assert not pane.findChild(QToolButton, "turntable-3d").isChecked()
    qtbot.mouseRelease(pane.canvas, LEFT, pos=QPoint(90, 50))
    sharp()


def test_another_volume_takes_the_place_of_the_first(show, pane, sharp):
    show(at=(30.0, 0.0, 0.0))
    assert half_of(sharp()) == "right"
    show(at=(-30.0, 0.0, 0.0), uid="9")
    assert pane.canvas.image is None
    assert half_of(sharp()) == "left"


def test_many_volumes_take_no_more_memory_than_a_few(show, pane, sharp):
    """In the process that renders, where the memory is: volume and gradients, some 16 MB each."""
    grown = []
    for number in range(7):
        array = np.full((100, 200, 200), -100, np.int16)
        array[40:60, 80:120, 80 + number : 120] = 900
        show(uid=str(number), array=array)
        sharp()
        (child,) = rendering()
        try:
            lines = Path(f"/proc/{child.pid}/status").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            pytest.skip("there is no /proc here")
        grown.append(next(int(x.split()[1]) for x in lines if x.startswith("VmRSS")) / 1024)
    assert max(grown[5:]) - max(grown[:3]) < 20, grown


def test_the_window_answers_while_a_large_volume_is_drawn(qtbot, show, pane, sharp):
    array = np.random.default_rng(1).integers(-1000, 900, (160, 256, 256), np.int16)
    heart = Heartbeat()
    pane.resize(500, 540)
    show(array=array)
    heart.start()
    sharp()
    pane.look_from("left")
    sharp()
    heart.stop()
    assert heart.beats > 50
    assert heart.longest_ms < LONGEST_STALL_MS


def test_a_process_that_dies_ends_the_pane_and_not_the_program(qtbot, show, pane, sharp):
    show()
    sharp()
    rendering()[0].kill()
    qtbot.waitUntil(lambda: "3D stopped" in pane.scene.sentence, timeout=WAIT_MS)
    pane.hide()
    assert sharp().max() > 100


def test_without_vtk_the_pane_says_so(qtbot, show, pane, monkeypatch, tmp_path):
    """A package of that name that cannot be imported, before the real one on the path."""
    (tmp_path / "vtkmodules").mkdir()
    (tmp_path / "vtkmodules" / "__init__.py").write_text("raise ImportError('no libGL')")
    monkeypatch.syspath_prepend(str(tmp_path))
    show()
    pane.show()
    qtbot.waitUntil(lambda: pane.scene.sentence == process.NO_VTK, timeout=WAIT_MS)


def test_preparation_that_fails_is_told(qtbot, show, pane, monkeypatch):
    def no_room(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(scene_module, "prepare", no_room)
    show()
    pane.show()
    qtbot.waitUntil(lambda: "not enough memory" in pane.scene.sentence, timeout=WAIT_MS)


@pytest.mark.parametrize("session_goes_first", [True, False])
def test_a_pane_deleted_while_it_is_shown_leaves_nothing_running(
    qtbot, session, show, session_goes_first
):
    show()
    owner = QWidget()
    if session_goes_first:
        session.setParent(owner)
    pane = VolumeView(session, owner, may_use_gpu=False)
    owner.show()
    qtbot.waitUntil(lambda: pane.scene.bounds is not None, timeout=WAIT_MS)
    shiboken6.delete(owner)
    assert not rendering()
    assert not [t for t in threading.enumerate() if t.name.startswith("3D")]
    if not session_goes_first:
        show(uid="5")
