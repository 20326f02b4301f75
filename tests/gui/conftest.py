"""Small volumes, findings, systems that obey the test, and a watch over leaks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QSettings, Qt, Signal
from PySide6.QtWidgets import QApplication, QWidget

from inference.errors import AnalysisError
from inference.findings import (
    Estimate,
    Findings,
    Heatmap,
    Manifestation,
    ModelProvenance,
    Segment,
    Timings,
)
from inference.partial import Partial, SliceValues
from inference.progress import Progress
from inference.studies.model import (
    Found,
    Problem,
    Series,
    SliceSource,
    SourceKind,
    Study,
    Unit,
    Volume,
    Window,
)
from inference.studies.watch import Watch
from inference.systems.base import Context
from viewer import theme
from viewer.session import ReadingSession
from viewer.settings import Settings
from viewer.window import MainWindow

SLICES, ROWS, COLUMNS = 12, 40, 32


@pytest.fixture(autouse=True)
def _no_leaks(qapp: QApplication) -> Iterator[None]:
    """Fail a test that leaves a window on the screen or a thread at work."""
    theme.apply(qapp)
    windows = set(qapp.topLevelWidgets())
    threads = set(threading.enumerate())
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    qapp.processEvents()
    left = [w for w in qapp.topLevelWidgets() if w not in windows and w.parent() is None]
    assert not left, f"top-level widgets left: {left}"
    running = [t for t in threading.enumerate() if t not in threads]
    assert not running, f"threads left: {running}"


class FakeVolumePane(QWidget):
    """Stands where the volume is shown in 3D; the real one starts a process of its own."""

    def __init__(self, session: ReadingSession) -> None:
        super().__init__()
        self.session = session
        self.canvas = _FakeCanvas(self)
        self.turning = self.clipping = False
        self.asked: list[str] = []
        self.setAccessibleName("3D view")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def look_from(self, view: str) -> None:
        """Remember."""
        self.asked.append(view)

    def reset(self) -> None:
        """Remember."""
        self.asked.append("reset")

    def toggle_turntable(self) -> None:
        """Turn, or not."""
        self.turning = not self.turning

    def toggle_clipping(self) -> None:
        """Clip, or not."""
        self.clipping = not self.clipping


class _FakeCanvas(QObject):
    turntable_changed = Signal(bool)


@pytest.fixture(autouse=True)
def volume_panes(monkeypatch: pytest.MonkeyPatch) -> list[FakeVolumePane]:
    """Replace 3D panes of windows; gives those that were made."""
    made: list[FakeVolumePane] = []

    def make(session: ReadingSession) -> QWidget:
        made.append(FakeVolumePane(session))
        return made[-1]

    monkeypatch.setattr("viewer.window._volume_pane", make)
    return made


@pytest.fixture
def make_volume() -> Callable[..., Volume]:
    """Make a CT of 12 slices of 40 × 32; settings of `Volume` can be given."""

    def make(uid: str = "1.2.3", **settings: Any) -> Volume:
        rng = np.random.default_rng(7)
        array = rng.integers(-1000, 200, (SLICES, ROWS, COLUMNS)).astype(np.int16)
        given: dict[str, Any] = {
            "array": array,
            "affine": np.diag([0.8, 0.8, 5.0, 1.0]),
            "unit": Unit.HU,
            "modality": "CT",
            "has_geometry": True,
            "has_orientation": True,
            "series_uid": uid,
            "windows": (Window(-500.0, 1400.0, "File 1"), Window(50.0, 400.0, "File 2")),
            "problems": (Problem("uneven-spacing", "Slices 3 and 4 are 9 mm apart."),),
        }
        return Volume(**{**given, **settings})

    return make


@pytest.fixture
def make_study() -> Callable[..., Study]:
    """Make a study whose series have the uids given."""

    def make(*uids: str, uid: str = "1.2", kind: SourceKind = SourceKind.DICOM) -> Study:
        series = tuple(
            Series(
                each,
                kind,
                "CT",
                f"Thorax {number}",
                tuple(SliceSource(Path(f"{each}-{i}.dcm")) for i in range(SLICES)),
                ROWS,
                COLUMNS,
                number=number,
            )
            for number, each in enumerate(uids, start=1)
        )
        return Study(uid, "Chest", "20200312", "Doe^Jane", "ID-77", series)

    return make


@pytest.fixture
def make_findings() -> Callable[..., Findings]:
    """Make findings of a volume: GGO and consolidation found, effusion looked for in vain."""

    def make(volume: Volume, **settings: Any) -> Findings:
        slices = volume.shape[0]
        masks = {key: np.zeros(volume.shape, bool) for key in Manifestation}
        masks[Manifestation.GGO][2:6, 5:15, 5:15] = True
        masks[Manifestation.GGO][4, 5:25, 5:25] = True
        masks[Manifestation.CONSOLIDATION][8, 20:24, 20:24] = True
        measured = {
            Manifestation.GGO: (2, 4, 182.4, 4.1, -611.7),
            Manifestation.CONSOLIDATION: (1, 8, 23.2, None, -12.0),
            Manifestation.EFFUSION: (0, None, 0.0, 0.0, None),
        }
        segments = tuple(
            Segment(
                key,
                masks[key],
                "streams",
                lesions,
                largest,
                ml,
                share,
                hu,
                masks[key].sum(axis=(1, 2)).astype(np.int64),
            )
            for key, (lesions, largest, ml, share, hu) in measured.items()
        )
        per_slice = np.full((slices, 3), 0.5, np.float32)
        given: dict[str, Any] = {
            "system": "fake",
            "series_uid": volume.series_uid,
            "shape": volume.shape,
            "affine": volume.affine,
            "estimates": (
                Estimate("covid-2", "COVID-19 recognition", ("COVID-19", "not COVID-19"),
                         (0.864, 0.136), per_slice[:, :2], True, "recognition", "Mean of slices."),
                Estimate("manifestations", "Manifestations",
                         tuple(key.label for key in Manifestation), (0.97, 0.61, 0.08), per_slice,
                         False, "labeller", "Highest slices."),
            ),
            "segments": segments,
            "lungs": None,
            "lung_ml": None,
            "analysed": np.arange(slices) > 1,
            "timings": Timings(0.5, 0.25, 1.5, 0.75, 6.0, 0.4, 9.6),
            "models": (
                ModelProvenance("recognition", "covid-2", "Inception-v3", "0.3", "ab" * 32,
                                "a public set", "CC BY-NC-SA 4.0"),
            ),
            "device": "test device",
            "created": "2026-01-02T03:04:05+00:00",
            "notes": ("2 slices without lung were not analysed.",),
        }  # fmt: skip
        return Findings(**{**given, **settings})

    return make


@pytest.fixture
def make_partial() -> Callable[..., Partial]:
    """Make a partial result: GGO all over the upper half of each slice, of slices 2 to the end."""

    def make(volume: Volume, *indices: int) -> Partial:
        planned = np.arange(volume.shape[0]) > 1
        codes = np.zeros((len(indices), *volume.shape[1:]), np.uint8)
        codes[:, : volume.shape[1] // 2] = 1
        values = np.tile(np.float32([0.9, 0.6, 0.3]), (len(indices), 1))
        names = tuple(key.label for key in Manifestation)
        said = (
            SliceValues("covid-2", "COVID-19 recognition", ("COVID-19", "not COVID-19"), True,
                        True, values[:, :2]),
            SliceValues("manifestations", "Manifestations", names, False, True, values),
        )  # fmt: skip
        return Partial(volume.series_uid, volume.shape, planned, np.array(indices), said, codes)

    return make


class FakeSystem:
    """A system that works until it is let go, then answers or fails as it was told."""

    name = "fake"

    def __init__(self, make_findings: Callable[..., Findings]) -> None:
        self.make_findings = make_findings
        self.go = threading.Event()
        self.go.set()
        self.started = threading.Event()
        self.error: Exception | None = None
        self.contexts: list[Context] = []
        self.explained: list[tuple[int, str, str]] = []
        self.threads: set[int] = set()
        self.readied: list[str] = []
        self.partials: list[Partial] = []
        self.told = threading.Event()

    def analyse(self, volume: Volume, context: Context) -> Findings:
        """Report until let go."""
        self.contexts.append(context)
        self.threads.add(threading.get_ident())
        self.started.set()
        if context.partial is not None:
            for partial in self.partials:
                context.partial(partial)
        self.told.set()
        step = 0
        while step == 0 or not self.go.is_set():
            step = min(step + 1, 99)
            context.progress.report("Segmenting", step, 100)
            # Real arithmetic, so that the window competes for the interpreter as in real work.
            float(np.sort(volume.array, axis=None).astype(np.float64).std())
            time.sleep(0.001)
        if self.error is not None:
            raise self.error
        return self.make_findings(volume)

    def get_ready(self, volume: Volume, context: Context) -> None:
        """Remember for what."""
        if self.error is not None:
            raise self.error
        self.readied.append(volume.series_uid)

    def explain(
        self, volume: Volume, slice_index: int, task: str, class_name: str, context: Context
    ) -> Heatmap:
        """Explain at once."""
        self.explained.append((slice_index, task, class_name))
        if self.error is not None:
            raise self.error
        values = np.linspace(0, 1, ROWS * COLUMNS, dtype=np.float32).reshape(volume.shape[1:])
        return Heatmap(slice_index, class_name, task, "Grad-CAM, fake", values)


@pytest.fixture
def fake_system(make_findings: Callable[..., Findings]) -> Iterator[FakeSystem]:
    """Give a system that obeys the test; let go at the end whatever happened."""
    system = FakeSystem(make_findings)
    yield system
    system.go.set()


@pytest.fixture
def failing() -> AnalysisError:
    """Give an error as systems raise it."""
    return AnalysisError("The weights do not fit; install SecondRead again.")


class FakeReader:
    """A reader of series that the test has put on its shelf."""

    def __init__(self) -> None:
        self.shelf: dict[Path, tuple[Study, ...]] = {}
        self.volumes: dict[str, Volume] = {}
        self.whole: dict[str, Volume] = {}
        self.told: list[tuple[int, bool]] = []
        self.watch: Watch | None = None
        self.load_error: Exception | None = None
        self.go = threading.Event()
        self.go.set()
        self.error: Exception | None = None

    def scan(
        self,
        path: Path,
        progress: Progress | None = None,
        found: Callable[[Found], None] | None = None,
    ) -> tuple[Study, ...]:
        """Look the path up."""
        if self.error is not None:
            raise self.error
        return self.shelf[path]

    def load(
        self, series: Series, progress: Progress | None = None, watch: Watch | None = None
    ) -> Volume:
        """Report until let go, then look the series up; tell of the slices that are to be told."""
        volume = self.volumes[series.uid]
        if watch is not None and self.told:
            watch.begun(volume)
            self.watch = watch
            for index, readable in self.told:
                watch.arrived(index, readable)
        step = 0
        while step == 0 or not self.go.is_set():
            step = min(step + 1, 99)
            if progress is not None:
                progress.report("Reading slices", step, 100)
            time.sleep(0.001)
        if self.load_error is not None:
            raise self.load_error
        return self.whole.get(series.uid, volume)

    def thumbnail(self, series: Series, size: int = 96) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Draw a grey square."""
        return np.full((size, size), 128, np.uint8)

    def main_series(self, studies: tuple[Study, ...]) -> tuple[Study, Series]:
        """Take the first."""
        return studies[0], studies[0].series[0]


@pytest.fixture
def fake_reader() -> Iterator[FakeReader]:
    """Give a reader that obeys the test."""
    reader = FakeReader()
    yield reader
    reader.go.set()


@pytest.fixture
def session(qapp: QApplication) -> ReadingSession:
    """Give an empty session."""
    return ReadingSession()


@pytest.fixture
def opened(
    session: ReadingSession, make_study: Callable[..., Study], make_volume: Callable[..., Volume]
) -> SimpleNamespace:
    """Give a session with a CT on the screen: session, study, series, volume."""
    study = make_study("1.2.3", "1.2.4")
    volume = make_volume("1.2.3")
    session.add_studies((study,))
    session.set_volume(study, study.series[0], volume, 0.5)
    return SimpleNamespace(session=session, study=study, series=study.series[0], volume=volume)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give settings in a file of the test; the notice has been read."""
    given = Settings(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
    given.set_notice_read()
    return given


@pytest.fixture
def make_window(
    qtbot: Any, settings: Settings, fake_system: FakeSystem, tmp_path: Path
) -> Callable[..., MainWindow]:
    """Make the real window, shown, with a system that obeys the test."""

    def make(given: Settings | None = None) -> MainWindow:
        window = MainWindow(
            lambda: fake_system, given or settings, measurements=tmp_path / "measurements"
        )
        qtbot.addWidget(window)
        window.resize(1100, 700)
        with qtbot.waitActive(window, timeout=20_000):
            window.show()
            window.activateWindow()
        return window

    return make


@pytest.fixture
def window(make_window: Callable[..., MainWindow]) -> MainWindow:
    """Give the real window with nothing open."""
    return make_window()


@pytest.fixture
def reading(
    window: MainWindow, make_study: Callable[..., Study], make_volume: Callable[..., Volume]
) -> MainWindow:
    """Give the real window with a CT on the screen."""
    study = make_study("1.2.3", "1.2.4")
    window.session.add_studies((study,))
    window.session.set_volume(study, study.series[0], make_volume("1.2.3"), 0.5)
    return window


@pytest.fixture
def shown(qtbot: Any) -> Callable[..., QWidget]:
    """Show a panel, as narrow as the reader may make it."""

    def show(panel: QWidget, width: int = 260, height: int = 600) -> QWidget:
        qtbot.addWidget(panel)
        panel.resize(width, height)
        with qtbot.waitExposed(panel, timeout=20_000):
            panel.show()
        return panel

    return show
