"""The window never freezes: a heartbeat in the event loop tells for how long it was held up.

What is loaded once a program is looked at in `tests/e2e/test_freezes.py`.
"""

from __future__ import annotations

import gc
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.uid import JPEGLSLossless
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from inference.studies.elsewhere import working_elsewhere
from tests.gui.handling import is_whole
from tests.gui.heartbeat import MOST_MS, Heartbeat, stood_in_line
from tests.unit.studies.conftest import dataset
from viewer.session import AnalysisState
from viewer.window import MainWindow

_SLICES = 200
_TRIES = 3
"""What holds up the window does so each time; what the machine does beside it, does not."""


@pytest.fixture
def watched(qapp: QApplication) -> Callable[[], Any]:
    """Give a context in which the event loop is watched; it gives the heartbeat."""

    @contextmanager
    def watching() -> Iterator[Heartbeat]:
        # What the test runner has in memory would be gone through for garbage, too.
        gc.collect()
        gc.freeze()
        heart = Heartbeat()
        heart.start()
        try:
            yield heart
        finally:
            heart.stop()
            heart.deleteLater()
            gc.unfreeze()

    return watching


def _hold_the_interpreter() -> None:
    """Compute in C code that lets no other thread run, for about a second.

    On a busy machine the window's thread stands in line again and again while it asks for the
    interpreter, so a short hold might be taken for that.
    """
    sum(range(50_000_000))


class TestTheWatchdog:
    """It would notice."""

    def test_quiet_is_no_alarm(self, qtbot: Any, watched: Callable[[], Any]) -> None:
        with watched() as heart:
            qtbot.wait(100)
        assert heart.beats > 3
        assert heart.longest_ms < MOST_MS

    def test_work_on_the_windows_thread_is_noticed(
        self, qtbot: Any, watched: Callable[[], Any]
    ) -> None:
        def work() -> None:
            end = time.thread_time() + 0.15
            while time.thread_time() < end:
                pass

        with watched() as heart:
            QTimer.singleShot(20, work)
            qtbot.wait(50)
        assert heart.longest_ms > MOST_MS

    def test_looking_at_many_threads_beside_a_busy_one_is_no_alarm(
        self, qtbot: Any, watched: Callable[[], Any]
    ) -> None:
        """A busy thread takes the interpreter for 5 ms whenever another lets it go."""
        end = threading.Event()

        def compute() -> None:
            while not end.is_set():
                sum(range(1000))

        threads = [threading.Thread(target=end.wait) for _ in range(30)]
        threads.append(threading.Thread(target=compute))
        for thread in threads:
            thread.start()
        with watched() as heart:
            qtbot.wait(400)
        end.set()
        for thread in threads:
            thread.join()
        assert heart.beats > 3
        assert heart.longest_ms < MOST_MS

    @pytest.mark.skipif(not stood_in_line(), reason="the system does not say who waited")
    def test_waiting_on_the_windows_thread_is_noticed(
        self, qtbot: Any, watched: Callable[[], Any]
    ) -> None:
        with watched() as heart:
            QTimer.singleShot(20, lambda: time.sleep(0.3))
            qtbot.wait(50)
        assert heart.longest_ms > MOST_MS

    @pytest.mark.skipif(not stood_in_line(), reason="the system does not say who waited")
    def test_a_thread_that_keeps_the_interpreter_is_noticed(
        self, qtbot: Any, watched: Callable[[], Any]
    ) -> None:
        with watched() as heart:
            thread = threading.Thread(target=_hold_the_interpreter)
            thread.start()
            qtbot.waitUntil(lambda: not thread.is_alive())
            thread.join()
        assert heart.longest_ms > MOST_MS


@pytest.fixture
def least_ms(watched: Callable[[], Any]) -> Callable[[Iterable[Callable[[], None]]], float]:
    """Give the measure of an act: the longest that the window was held up, in its best try."""

    def measure(tries: Iterable[Callable[[], None]]) -> float:
        least = float("inf")
        for act in itertools.islice(tries, _TRIES):
            with watched() as heart:
                act()
            least = min(least, heart.longest_ms)
            if least < MOST_MS:
                break
        return least

    return measure


@pytest.fixture
def folders(qtbot: Any, write_ct: Callable[..., Path]) -> Iterator[Path]:
    """Give CTs of many slices, each another, written when it is asked for."""

    def write() -> Iterator[Path]:
        for number in itertools.count():
            folder = write_ct(f"ct{number}", slices=_SLICES, size=256, seed=str(number))
            qtbot.wait(50)
            yield folder

    return write()


def _open(qtbot: Any, window: MainWindow, path: Path) -> None:
    before = window.session.volume
    window.opener.open_paths([path])
    qtbot.waitUntil(lambda: window.session.volume is not before, timeout=60_000)
    qtbot.waitUntil(lambda: is_whole(window), timeout=60_000)
    qtbot.wait(50)


class TestTheWindow:
    """What takes long is done elsewhere."""

    def test_opening(
        self, qtbot: Any, window: MainWindow, folders: Iterator[Path],
        least_ms: Callable[..., float],
    ) -> None:  # fmt: skip
        assert least_ms(partial(_open, qtbot, window, folder) for folder in folders) < MOST_MS
        assert window.session.volume is not None
        assert window.session.volume.shape[0] == _SLICES

    def test_opening_a_large_compressed_radiograph(
        self, qtbot: Any, window: MainWindow, tmp_path: Path, least_ms: Callable[..., float]
    ) -> None:
        """Its decoder would keep the interpreter for a third of a second."""
        y, x = np.mgrid[:3000, :2500]
        grey = 2000 + 800 * np.sin(x / 200) + 500 * np.cos(y / 150)
        noise = np.random.default_rng(1).normal(0, 20, grey.shape)
        ds = dataset((grey + noise).astype(np.uint16), Modality="DX", RescaleIntercept=0)
        ds.compress(JPEGLSLossless, generate_instance_uid=False)

        def written() -> Iterator[Path]:
            for number in itertools.count(1):
                path = tmp_path / f"{number}.dcm"
                ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = f"1.2.3.{number}"
                ds.SeriesInstanceUID = f"1.2.4.{number}"
                ds.save_as(path, enforce_file_format=True)
                qtbot.wait(50)
                yield path

        with working_elsewhere() as there:
            there.expect()
            qtbot.waitUntil(there.is_warm, timeout=60_000)
            assert least_ms(partial(_open, qtbot, window, path) for path in written()) < MOST_MS
        assert window.session.volume is not None
        assert window.session.volume.shape == (1, 3000, 2500)

    def test_going_through_slices_while_they_are_read(
        self, qtbot: Any, window: MainWindow, folders: Iterator[Path],
        least_ms: Callable[..., float], monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.setattr("viewer.reading._PATIENCE_SECONDS", 0.0)

        def go_through(folder: Path) -> None:
            before = window.session.volume
            window.opener.open_paths([folder])
            qtbot.waitUntil(lambda: window.session.volume is not before, timeout=60_000)
            while not is_whole(window):
                window.session.step(5 if window.session.position < _SLICES - 5 else -150)
                qtbot.wait(1)

        assert least_ms(partial(go_through, folder) for folder in folders) < MOST_MS

    def test_analysing_and_exporting(
        self, qtbot: Any, window: MainWindow, write_ct: Callable[..., Path], tmp_path: Path,
        least_ms: Callable[..., float],
    ) -> None:  # fmt: skip
        window.opener.open_paths([write_ct(slices=40, size=256)])
        qtbot.waitUntil(lambda: is_whole(window), timeout=60_000)
        qtbot.wait(50)

        def analyse() -> None:
            window.analyst.start()
            assert window.session.analysis is AnalysisState.RUNNING
            qtbot.waitUntil(lambda: window.session.analysis is AnalysisState.DONE)

        def export(kind: str, path: Path) -> None:
            window.exporter._ask = lambda _format: path
            window.exporter.export(kind)
            qtbot.waitUntil(path.exists, timeout=60_000)
            qtbot.waitUntil(lambda: not window.busy)

        assert least_ms(itertools.repeat(analyse)) < MOST_MS
        for kind, suffix in (("seg", "dcm"), ("nifti", "nii.gz"), ("json", "json")):
            files = (tmp_path / f"{n}.{suffix}" for n in itertools.count())
            tries = (partial(export, kind, path) for path in files)
            assert least_ms(tries) < MOST_MS, kind
