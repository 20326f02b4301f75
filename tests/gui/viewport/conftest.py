"""Small volumes, a session, and a mouse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QHelpEvent, QImage, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from inference.findings import Findings, Heatmap
from inference.studies.model import Series, SourceKind, Study, Volume
from tests import factories
from viewer.session import ReadingSession
from viewer.viewport import SliceStrip, SliceView

UID = "1.2.3"


class Mouse:
    """Sends what a hand would."""

    def send(self, widget, kind, position, button, buttons):
        at = QPointF(*position)
        event = QMouseEvent(
            kind, at, widget.mapToGlobal(at), button, buttons, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(widget, event)

    def move(self, widget: QWidget, position: tuple[float, float]) -> None:
        none = Qt.MouseButton.NoButton
        self.send(widget, QEvent.Type.MouseMove, position, none, none)

    def drag(self, widget, start, end, button=Qt.MouseButton.LeftButton) -> None:
        none = Qt.MouseButton.NoButton
        self.send(widget, QEvent.Type.MouseButtonPress, start, button, button)
        middle = tuple((a + b) / 2 for a, b in zip(start, end, strict=True))
        for at in (middle, end):
            self.send(widget, QEvent.Type.MouseMove, at, none, button)
        self.send(widget, QEvent.Type.MouseButtonRelease, end, button, none)

    def double_click(self, widget, position) -> None:
        button = Qt.MouseButton.LeftButton
        self.send(widget, QEvent.Type.MouseButtonDblClick, position, button, button)

    def wheel(
        self, widget, notches: float, position=(200.0, 200.0),
        modifiers=Qt.KeyboardModifier.NoModifier,
    ) -> None:  # fmt: skip
        at = QPointF(*position)
        event = QWheelEvent(
            at, widget.mapToGlobal(at), QPoint(), QPoint(0, round(120 * notches)),
            Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(widget, event)

    def rest(self, widget, position) -> str:
        """Rest on a point; returns the tooltip that comes up."""
        at = QPoint(*(round(p) for p in position))
        event = QHelpEvent(QEvent.Type.ToolTip, at, widget.mapToGlobal(at))
        QApplication.sendEvent(widget, event)
        return self._tip()

    def _tip(self) -> str:
        """Text of the tooltip on the screen, which is taken away at once (Qt waits a while)."""
        tips = [w for w in QApplication.topLevelWidgets() if w.inherits("QTipLabel")]
        text = "".join(tip.text() for tip in tips if tip.isVisible())
        for tip in tips:
            tip.hide()
        return text


@pytest.fixture
def mouse() -> Mouse:
    return Mouse()


@pytest.fixture
def pixels() -> Callable[[QImage], np.ndarray]:
    """Picture to array: (height, width, 3) logical pixels, red, green, blue, int."""

    def of(image: QImage) -> np.ndarray:
        image = image.convertToFormat(QImage.Format.Format_RGB32)
        flat = np.frombuffer(image.constBits(), np.uint8)
        lines = flat.reshape(image.height(), image.bytesPerLine())[:, : 4 * image.width()]
        step = round(image.devicePixelRatio())
        cells = lines.reshape(image.height(), image.width(), 4)[::step, ::step]
        return cells[..., 2::-1].astype(int)

    return of


@pytest.fixture
def seen(pixels) -> Callable[[QWidget], np.ndarray]:
    """What is to be seen of a widget, in true colours whatever the depth of the screen."""

    def of(widget: QWidget) -> np.ndarray:
        ratio = widget.devicePixelRatioF()
        image = QImage(widget.size() * ratio, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        widget.render(image)
        return pixels(image)

    return of


@pytest.fixture
def make_volume() -> Callable[..., Volume]:
    """A CT of 7 slices of 16 by 16; slice k is -1000 + 100 k HU all over, spacing 2, 1, 1 mm."""

    def make(**changes) -> Volume:
        array = np.full((7, 16, 16), -1000, np.int16)
        array += (100 * np.arange(7, dtype=np.int16))[:, None, None]
        settings = {"array": array, "affine": np.diag([1.0, 1.0, 2.0, 1.0])} | changes
        return factories.make_volume(**settings)

    return make


@pytest.fixture
def session(qapp) -> ReadingSession:
    return ReadingSession()


@pytest.fixture
def show(session, make_volume) -> Callable[..., Volume]:
    """Open a volume in the session; keyword arguments change the volume."""

    def opened(study_problems=(), **changes) -> Volume:
        volume = make_volume(**changes)
        _, rows, columns = volume.shape
        series = Series(
            UID, SourceKind.DICOM, volume.modality, "Lung 5 mm", volume.slices, rows, columns
        )
        study = Study("1", "Chest", "", "Doe^Jane", "4711", (series,), study_problems)
        session.set_volume(study, series, volume)
        return volume

    return opened


@pytest.fixture
def analysed(session) -> Callable[..., Findings]:
    """Give findings to the open volume; masks by manifestation, as (slices, rows, columns)."""

    def given(masks=None, per_slice=None) -> Findings:
        volume = session.volume
        codes = factories.to_codes(masks) if masks else np.zeros(volume.shape, np.uint8)
        rows = {} if per_slice is None else {"manifestations": np.asarray(per_slice, np.float32)}
        findings = factories.make_findings(
            volume, codes, lungs=np.ones(volume.shape, bool), rows=rows
        )
        session.set_findings(findings)
        return findings

    return given


@pytest.fixture
def heat(make_volume) -> Heatmap:
    """A heatmap of the middle slice of the open volume, hottest at the right edge."""
    values = np.tile(np.linspace(0, 1, 16, dtype=np.float32), (16, 1))
    volume = make_volume()
    return factories.make_heatmap(volume, 3, values=values, lungs=np.ones(volume.shape, bool))


@pytest.fixture
def view(qtbot, session) -> SliceView:
    widget = SliceView(session)
    qtbot.addWidget(widget)
    widget.resize(400, 400)
    with qtbot.waitExposed(widget, timeout=20_000):
        widget.show()
    return widget


@pytest.fixture
def strip(qtbot, session) -> SliceStrip:
    widget = SliceStrip(session)
    qtbot.addWidget(widget)
    widget.resize(400, widget.sizeHint().height())
    with qtbot.waitExposed(widget, timeout=20_000):
        widget.show()
    return widget
