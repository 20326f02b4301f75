"""A 3D pane on volumes that are made here, drawn by the real process."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage

from inference.findings import Findings, Manifestation
from inference.studies.model import Series, SourceKind, Study, Volume
from tests import factories
from viewer.session import ReadingSession
from viewer.volume3d.view import VolumeView

WAIT_MS = 60_000
"""A process starts, VTK is loaded, pictures are made by two busy cores: long, to be sure."""
SHAPE = (40, 60, 60)
AFFINE = np.array([[2, 0, 0, -59], [0, 2, 0, -59], [0, 0, 3, -60], [0, 0, 0, 1]], float)


def make_ball(at: tuple[float, float, float], radius: float) -> np.ndarray:
    k, j, i = np.indices(SHAPE)
    places = np.stack([i, j, k, np.ones(SHAPE)], -1) @ AFFINE.T
    return np.linalg.norm(places[..., :3] - at, axis=-1) <= radius


def sum_colours(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    flat = np.frombuffer(image.constBits(), np.uint8)
    return flat.reshape(image.height(), image.width(), 4)[..., :3].sum(-1, dtype=int)


@pytest.fixture
def ball() -> Callable[..., np.ndarray]:
    """Mask of a ball: (LPS point, radius in mm), on the grid of `AFFINE`."""
    return make_ball


@pytest.fixture
def brightness() -> Callable[[QImage], np.ndarray]:
    """Sum of the colours of each pixel, shape (height, width)."""
    return sum_colours


@pytest.fixture
def session(qapp) -> ReadingSession:
    return ReadingSession()


@pytest.fixture
def show(session) -> Callable[..., Volume]:
    """Open a volume of fat with a dense ball around an LPS point; settings of `Volume` too."""

    def opened(at=(30.0, 0.0, 0.0), uid="1.2.3", radius=18.0, **settings) -> Volume:
        array = np.where(make_ball(at, radius), 900, -100).astype(np.int16)
        given = {"array": array, "affine": AFFINE, "series_uid": uid} | settings
        volume = factories.make_volume(**given)
        series = Series(uid, SourceKind.DICOM, volume.modality, "Chest", volume.slices, *SHAPE[1:])
        session.set_volume(Study("1", "Chest", "", "Doe^Jane", "4711", (series,)), series, volume)
        return volume

    return opened


@pytest.fixture
def analysed(session) -> Callable[..., Findings]:
    """Give findings with these masks to the open volume."""

    def given(masks: dict[Manifestation, np.ndarray], lungs: np.ndarray | None = None) -> Findings:
        volume = session.volume
        findings = factories.make_findings(volume, factories.to_codes(masks), lungs=lungs)
        session.set_findings(findings)
        return findings

    return given


@pytest.fixture
def pane(qtbot, session) -> VolumeView:
    widget = VolumeView(session, may_use_gpu=False)
    qtbot.addWidget(widget)
    widget.resize(320, 360)
    widget.choose_preset("Bone")  # as soon as there is a CT
    return widget


@pytest.fixture
def sharp(qtbot, pane) -> Callable[[], np.ndarray]:
    """Wait until the picture at rest is there; its brightness, without what is drawn over it."""

    def wait() -> np.ndarray:
        pane.show()
        canvas, scene = pane.canvas, pane.scene
        qtbot.waitUntil(
            lambda: (
                canvas.is_sharp
                and not scene.waiting
                and not scene.busy_text
                and not canvas.is_moving
            ),
            timeout=WAIT_MS,
        )
        return sum_colours(canvas.image)

    return wait


@pytest.fixture
def screen(pane) -> Callable[[tuple[float, float, float]], QPointF]:
    """Where an LPS point is on the canvas."""

    def place(point: tuple[float, float, float]) -> QPointF:
        canvas = pane.canvas
        x, y, _ = canvas.camera.project(
            np.array(point), pane.scene.bounds, canvas.width(), canvas.height()
        )
        return QPointF(float(x), float(y))

    return place
