"""Small volumes, findings, systems that obey the test, and a watch over leaks."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QSettings, Qt, Signal
from PySide6.QtWidgets import QApplication, QWidget

from inference.errors import AnalysisError, BadInputError
from inference.faults import log_file
from inference.findings import Findings, Heatmap
from inference.partial import Partial
from inference.progress import Progress
from inference.studies import main_series
from inference.studies.model import (
    Found,
    Problem,
    Series,
    SourceKind,
    Study,
    Volume,
)
from inference.studies.watch import Watch
from inference.systems.base import Context
from tests import factories
from viewer import theme
from viewer.collecting import Collector, collecting
from viewer.painting import faults
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


@pytest.fixture(autouse=True)
def collector(qapp: QApplication) -> Iterator[Collector]:
    """Collect on the window's thread alone, as the program does."""
    with collecting(qapp) as made:
        yield made


@pytest.fixture(autouse=True)
def undrawn(qapp: QApplication, request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Fail a test in which something could not be drawn; one that asks for the list expects it."""
    told: list[str] = []
    faults.forget()
    faults.told.connect(told.append)
    yield told
    faults.told.disconnect(told.append)
    if "undrawn" not in inspect.signature(request.function).parameters:
        assert not told, f"could not be drawn, see {log_file()}: {told}"


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


@pytest.fixture(autouse=True)
def closing_answer(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Answer the question before a window closes: it does; gives what was asked.

    With `ask` set to `viewer.closing.ask_to_close` the real dialog is shown.
    """
    told = SimpleNamespace(asked=[], answer=True, ask=None)

    def answer(parent: QWidget, said: Sequence[str]) -> bool:
        told.asked.append(tuple(said))
        return told.answer if told.ask is None else told.ask(parent, said)

    monkeypatch.setattr("viewer.closing.ask_to_close", answer)
    return told


@pytest.fixture(autouse=True)
def findings_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the findings of each test in a folder of its own."""
    folder = tmp_path / "kept-findings"
    monkeypatch.setattr("inference.export.kept.default_folder", lambda: folder)
    return folder


@pytest.fixture
def make_volume() -> Callable[..., Volume]:
    """Make a CT of 12 slices of 40 × 32, read from files; settings of `Volume` can be given."""

    def make(uid: str = "1.2.3", **settings: Any) -> Volume:
        doubt = Problem("uneven-spacing", "Slices 3 and 4 are 9 mm apart.")
        read = factories.read_small_ct(uid, (SLICES, ROWS, COLUMNS))
        slices = len(settings.get("array", read.array))
        if slices != SLICES:
            settings.setdefault("slices", factories.sources(uid, slices))
        return replace(read, **{"problems": (doubt,), **settings})

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
                factories.read_small_ct(each, (SLICES, ROWS, COLUMNS)).slices,
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
    """Make findings of a volume as the engine does; see `tests.factories.make_findings`.

    Of a CT: ground glass in two pieces and a consolidation are found, an effusion is looked for in
    vain; slices 1 and 2 have no lungs and were not analysed.
    """
    return factories.make_findings


@pytest.fixture
def make_partial() -> Callable[..., Partial]:
    """Make a partial result: GGO all over the upper half of each slice, of slices 2 to the end."""

    def make(volume: Volume, *indices: int) -> Partial:
        codes = np.zeros((len(indices), *volume.shape[1:]), np.uint8)
        codes[:, : volume.shape[1] // 2] = 1
        return factories.make_partial(volume, indices, codes)

    return make


def _away(partial: Partial, focus: int | None) -> int:
    """How far a group is from the slice that the reader looks at."""
    return 0 if focus is None else int(np.abs(partial.indices - focus).min())


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
        # What is asked for must be there, as to the engine.
        factories.models_of(volume, context)
        self.contexts.append(context)
        self.threads.add(threading.get_ident())
        self.started.set()
        context.progress.report("Finding the lungs", 0, 1)
        if context.partial is not None:
            for partial in sorted(self.partials, key=lambda each: _away(each, context.focus)):
                context.partial(partial)
        self.told.set()
        step = 0
        while step == 0 or not self.go.is_set():
            step = min(step + 1, 99)
            context.progress.report("Analysing slices", step, 100)
            # Real arithmetic, so that the window competes for the interpreter as in real work.
            float(np.sort(volume.array, axis=None).astype(np.float64).std())
            time.sleep(0.001)
        context.progress.report("Measuring", 1, 1)
        if self.error is not None:
            raise self.error
        return self.make_findings(volume)

    def get_ready(self, volume: Volume, context: Context) -> None:
        """Remember for what."""
        if self.error is not None:
            raise self.error
        self.readied.append(volume.series_uid)

    def explain(
        self, volume: Volume, slice_index: int, task: str, key: str, context: Context
    ) -> Heatmap:
        """Explain at once."""
        self.explained.append((slice_index, task, key))
        if self.error is not None:
            raise self.error
        if context is not None:
            context.progress.report("Explaining", 0, 1)
        return factories.make_heatmap(volume, slice_index, task, key, context=context)


@pytest.fixture(scope="session")
def _torch_is_there() -> None:
    """The first result of a process brings torch: seconds, for which no test need wait."""
    import inference.systems.elbana.system  # noqa: F401


@pytest.fixture
def fake_system(
    make_findings: Callable[..., Findings], _torch_is_there: None
) -> Iterator[FakeSystem]:
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
        """Look the path up; a folder is told as soon as all in it is known, which is at once."""
        if self.error is not None:
            raise self.error
        if path not in self.shelf:
            raise BadInputError(f"There is nothing to open in {path}.")
        studies = self.shelf[path]
        files = sum(len(series.slices) for study in studies for series in study.series)
        if progress is not None:
            progress.report("Reading headers", max(0, files - 1), files)
        if found is not None:
            found(Found(studies, files, files))
        return studies

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
        """Choose as the real one."""
        return main_series(studies)


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
    # The panels take the place of the start page, and are laid out.
    QApplication.processEvents()
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
