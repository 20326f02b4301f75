"""A part that cannot be drawn says so in its place, once in the log, and takes no other with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from inference.faults import log_file
from inference.findings import Findings, Manifestation
from inference.systems.base import Context
from viewer.measuring.overlay import MeasuringOverlay
from viewer.painting import Faults, PaintedWidget, painting
from viewer.panels.bars import ProbabilityBar
from viewer.panels.labels import Chip
from viewer.panels.timing import LogBars, TimeRow
from viewer.planes.section import Section
from viewer.session import HeatmapChoice
from viewer.viewport import SliceView, annotations
from viewer.viewport.annotations import Role, place
from viewer.viewport.lanes import Lane
from viewer.viewport.scene import Scene
from viewer.viewport.strip import SliceStrip
from viewer.window import MainWindow


def _seen(widget: QWidget) -> np.ndarray[Any, np.dtype[np.int64]]:
    """What is to be seen of a widget: (height, width, 3), red, green, blue."""
    image = QImage(widget.size(), QImage.Format.Format_RGB32)
    widget.render(image)
    flat = np.frombuffer(image.constBits(), np.uint8)
    lines = flat.reshape(image.height(), image.bytesPerLine())[:, : 4 * image.width()]
    return lines.reshape(image.height(), image.width(), 4)[..., 2::-1].astype(np.int64)


def _told(pixels: np.ndarray[Any, Any]) -> int:
    """Pixels of a sentence that says what is missing."""
    inks = np.array([(255, 150, 145), (239, 100, 97)])
    away = np.abs(pixels[:, :, None, :] - inks).max(axis=-1)
    return int((away < 12).any(axis=-1).sum())


def _raise(*_args: Any, **_kwargs: Any) -> Any:
    raise ValueError("Doe^Jane")


@pytest.fixture
def view(qtbot: Any, opened: Any, make_findings: Callable[..., Findings]) -> SliceView:
    """Give a pane with masks and texts, and the mouse over it."""
    opened.session.set_findings(make_findings(opened.volume))
    opened.session.set_position(4)
    widget = SliceView(opened.session)
    qtbot.addWidget(widget)
    widget.resize(500, 500)
    with qtbot.waitExposed(widget, timeout=20_000):
        widget.show()
    _point(widget, 253, 253)
    return widget


def _point(widget: QWidget, x: float, y: float) -> None:
    at, none = QPointF(x, y), Qt.MouseButton.NoButton
    event = QMouseEvent(
        QEvent.Type.MouseMove, at, widget.mapToGlobal(at), none, none,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


def _log() -> str:
    return log_file().read_text("utf-8") if log_file().exists() else ""


WHOLE = (
    (Scene, "_masks", "Masks"),
    (Scene, "_mask", "Masks"),
    ("viewer.viewport.render._blend_mask", None, "Masks"),
    (Scene, "_heat", "Heatmap"),
    ("viewer.viewport.render._blend_heat", None, "Heatmap"),
    ("viewer.viewport.texts.probability_text", None, "Probabilities"),
    ("viewer.viewport.texts.value_lines", None, "Value"),
    ("viewer.viewport.texts.window_text", None, "Window"),
    ("viewer.viewport.texts.plane_text", None, "Slice"),
    ("viewer.viewport.texts.doubts_text", None, "Doubts"),
    ("viewer.viewport.texts.scale_bar", None, "Scale"),
    (Section, "letters", "Orientation letters"),
    (MeasuringOverlay, "paint", "Measurements"),
    ("viewer.viewport.scene.compose", None, "The picture"),
    (annotations._DRAWN, Role.LEGEND, "This text"),
)


@pytest.mark.parametrize(("owner", "attribute", "name"), WHOLE)
def test_a_part_of_the_picture_that_fails_leaves_the_others(
    view: SliceView,
    opened: Any,
    fake_system: Any,
    monkeypatch: pytest.MonkeyPatch,
    undrawn: list[str],
    qtlog: Any,
    owner: Any,
    attribute: str | Role | None,
    name: str,
) -> None:
    if name == "Heatmap":
        opened.session.choose_heatmap(HeatmapChoice("covid-2", "covid-19"))
        heat = fake_system.explain(opened.volume, 4, "covid-2", "covid-19", Context())
        opened.session.set_heatmap("1.2.3", heat)
    assert "HU" in _corner(view)
    before = _seen(view)
    placed = place(view.annotations(), view.width(), view.height())

    if isinstance(attribute, Role):
        monkeypatch.setitem(owner, attribute, _raise)
    elif attribute is None:
        monkeypatch.setattr(owner, _raise)
    else:
        monkeypatch.setattr(owner, attribute, _raise)
    log = _log()
    opened.session.layers_changed.emit()
    for step in range(6):
        _point(view, 253 + step, 253)
        after = _seen(view)

    assert _told(after) > _told(before) + 10
    mended = place(view.annotations(), view.width(), view.height())
    if name != "Orientation letters":
        assert _texts(mended, Role.LETTER) == _texts(placed, Role.LETTER)
        for entry in mended:
            if entry.role is Role.LETTER:
                assert _bright(after, entry.rect)
    if name != "Value":
        assert "HU" in _corner(view)
    banner = next(entry for entry in mended if entry.role is Role.BANNER)
    assert _bright(after, banner.rect)

    written = _log().removeprefix(log)
    assert written.count("A part of the window") == 1
    assert f"A part of the window: {name}: ValueError" in written
    assert "Doe" not in written
    assert len(undrawn) == 1
    assert qtlog.records == []


def test_the_window_says_once_and_truly_that_a_part_is_missing(
    qtbot: Any,
    reading: MainWindow,
    make_findings: Callable[..., Findings],
    monkeypatch: pytest.MonkeyPatch,
    undrawn: list[str],
    qtlog: Any,
) -> None:
    """The crash of the first release: a text under the mouse raised in every paint."""
    reading.session.set_findings(make_findings(reading.session.volume))
    reading.session.set_position(4)
    monkeypatch.setattr("viewer.viewport.texts.probability_text", _raise)
    view, log = reading.view, _log()
    for step in range(40):
        _point(view, view.width() // 2 + step % 7, view.height() // 2)
        view.repaint()
    qtbot.waitUntil(lambda: len(reading.messages.messages) == 1, timeout=5_000)
    _point(view, view.width() // 2, view.height() // 2)
    view.repaint()
    QApplication.processEvents()
    (message,) = reading.messages.messages
    assert message.kind == "error"
    assert message.sentence.startswith("A part of the window could not be drawn")
    assert "stopped" not in message.sentence
    assert _log().removeprefix(log).count("ValueError") == 1
    assert "HU" in _corner(view)
    assert len(undrawn) == 1
    assert [r.message for r in qtlog.records if "ainter" in r.message] == []


def _corner(view: Any) -> str:
    return " ".join(line.text for line in view.annotations().bottom_right)


def _texts(placed: Any, role: Role) -> list[str]:
    return [entry.text for entry in placed if entry.role is role]


def _bright(pixels: np.ndarray[Any, Any], rect: QRectF) -> bool:
    box = rect.toRect()
    part = pixels[box.top() : box.bottom() + 1, box.left() : box.right() + 1]
    return bool((part.min(axis=-1) > 150).sum() > 5)


def _rows() -> LogBars:
    bars = LogBars()
    bars.show_rows((TimeRow("This run", "a computer", 5.0, ""),))
    return bars


@pytest.mark.parametrize(
    "make",
    [
        SliceStrip,
        lambda session: ProbabilityBar("COVID-19", 0.8, band=(0.7, 0.9)),
        lambda session: _rows(),
        lambda session: Chip(Manifestation.GGO),
    ],
    ids=["strip", "probability", "times", "chip"],
)
def test_a_widget_that_cannot_be_drawn_says_so(
    qtbot: Any,
    opened: Any,
    make: Callable[..., PaintedWidget],
    monkeypatch: pytest.MonkeyPatch,
    undrawn: list[str],
    qtlog: Any,
) -> None:
    widget = make(opened.session)
    qtbot.addWidget(widget)
    widget.setMinimumSize(0, 0)
    widget.setMaximumSize(2000, 2000)
    widget.resize(400, 80)
    assert _told(_seen(widget)) == 0
    monkeypatch.setattr(type(widget), "paint", _raise)
    for _ in range(5):
        assert _told(_seen(widget)) > 20
    assert len(undrawn) == 1
    assert [r.message for r in qtlog.records] == []


def test_a_lane_that_fails_leaves_the_other_lanes_and_the_marker(
    qtbot: Any,
    opened: Any,
    make_findings: Callable[..., Findings],
    monkeypatch: pytest.MonkeyPatch,
    undrawn: list[str],
) -> None:
    opened.session.set_findings(make_findings(opened.volume))
    strip = SliceStrip(opened.session)
    qtbot.addWidget(strip)
    strip.resize(500, strip.sizeHint().height())
    before = _seen(strip)
    drawn = SliceStrip._draw_lane
    first = strip._lanes[0]

    def draw(self: SliceStrip, painter: Any, lane: Lane, *rest: Any) -> None:
        if lane is first:
            raise ValueError
        drawn(self, painter, lane, *rest)

    monkeypatch.setattr(SliceStrip, "_draw_lane", draw)
    strip._drawn = None
    after = _seen(strip)
    assert _told(after) > 20
    last = strip._lane_rect(len(strip._lanes) - 1).toRect()
    rows = slice(last.top() + 1, last.bottom())
    assert np.array_equal(before[rows], after[rows])
    assert len(undrawn) == 1


def test_a_probability_keeps_its_number_when_its_bar_fails(
    qtbot: Any, monkeypatch: pytest.MonkeyPatch, undrawn: list[str]
) -> None:
    bar = ProbabilityBar("COVID-19", 0.8, band=(0.7, 0.9))
    qtbot.addWidget(bar)
    bar.resize(400, 40)
    before = _seen(bar)
    monkeypatch.setattr(ProbabilityBar, "_draw_whisker", _raise)
    after = _seen(bar)
    assert _told(after) > 20
    # Name and number, left and right of the bar.
    assert np.array_equal(before[:, :180], after[:, :180])
    assert np.array_equal(before[:, -30:], after[:, -30:])
    assert undrawn


def test_a_palette_row_that_fails_leaves_the_other_rows(
    qtbot: Any, window: MainWindow, monkeypatch: pytest.MonkeyPatch, undrawn: list[str], qtlog: Any
) -> None:
    import viewer.palette as module

    drawn = module._Rows._draw

    def draw(self: Any, painter: Any, option: Any, index: Any) -> None:
        if index.row() == 0:
            raise ValueError
        drawn(self, painter, option, index)

    monkeypatch.setattr(module._Rows, "_draw", draw)
    window.actions_["palette"].trigger()
    rows = window.findChild(module.CommandPalette).list
    qtbot.waitUntil(rows.isVisible, timeout=5_000)
    seen = _seen(rows.viewport())
    height = rows.sizeHintForRow(0)
    assert _told(seen[:height]) > 20
    assert _told(seen[height:]) == 0
    assert (seen[height : 2 * height].min(axis=-1) > 150).sum() > 20
    assert len(undrawn) == 1
    assert [r.message for r in qtlog.records if "ainter" in r.message] == []
    window.findChild(module.CommandPalette).close()


def test_the_exported_picture_says_what_it_lacks(
    view: SliceView, opened: Any, monkeypatch: pytest.MonkeyPatch, undrawn: list[str]
) -> None:
    monkeypatch.setattr(Scene, "_masks", _raise)
    opened.session.layers_changed.emit()
    image = view.picture()
    inks = [QColor(239, 100, 97).rgb(), QColor(255, 150, 145).rgb()]
    found = [image.pixel(x, y) in inks for x in range(0, 300) for y in range(0, 120)]
    assert sum(found) > 5
    assert undrawn


def test_a_painter_is_ended_when_drawing_raises() -> None:
    image = QImage(10, 10, QImage.Format.Format_RGB32)
    with pytest.raises(ValueError, match="stop"), painting(image):
        raise ValueError("stop")
    assert not image.paintingActive()


def test_what_could_not_be_drawn_is_written_down_once() -> None:
    faults, told = Faults(), list[str]()
    faults.told.connect(told.append)
    for _ in range(300):
        try:
            _raise()
        except ValueError as error:
            faults.note("Letters", error)
    faults.note("Masks", KeyError())
    assert len(told) == 2
    faults.forget()
    faults.note("Masks", KeyError())
    assert len(told) == 3
