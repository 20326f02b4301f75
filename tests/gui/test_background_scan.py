"""A long scan: the first series is read while the rest is being found, and stays on the screen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QTreeWidgetItemIterator

from inference.progress import Progress
from inference.studies.codes import Code
from inference.studies.model import Found, Problem, Series, SliceSource, Study, Volume
from inference.studies.watch import Watch
from viewer.opening import Opener
from viewer.window import MainWindow

FOLDER = Path("/data/many")


class SlowReader:
    """Finds one series after the other, each when the test lets it."""

    def __init__(self, study: Study, volumes: dict[str, Volume]) -> None:
        self.study = study
        self.volumes = volumes
        self.steps = threading.Semaphore(0)
        self.go = threading.Event()
        self.go.set()
        self.asked = 0
        self.final: Study | None = None

    def scan(
        self,
        path: Path,
        progress: Progress | None = None,
        found: Callable[[Found], None] | None = None,
    ) -> tuple[Study, ...]:
        """Report one more series at each step."""
        assert progress is not None
        assert found is not None
        series = self.study.series
        for done in range(1, len(series) + 1):
            while not self.steps.acquire(timeout=0.005):
                progress.report("Reading headers", done * 1000, 5000)
                self.asked += 1
            found(Found((replace(self.study, series=series[:done]),), done * 1000, 5000))
        while not self.steps.acquire(timeout=0.005):
            progress.report("Reading headers", 4999, 5000)
        return (self.final or self.study,)

    def load(
        self, series: Series, progress: Progress | None = None, watch: Watch | None = None
    ) -> Volume:
        """Give the series' pixels when the test lets it."""
        self.go.wait(5)
        return self.volumes[series.uid]

    def thumbnail(self, series: Series, size: int = 96) -> Any:
        """Draw a black square."""
        return np.zeros((size, size), np.uint8)

    def main_series(self, studies: tuple[Study, ...]) -> tuple[Study, Series]:
        """Take the largest."""
        from inference.studies import main_series

        return main_series(studies)


@pytest.fixture
def slow(
    make_study: Callable[..., Study],
    make_volume: Callable[..., Volume],
) -> SlowReader:
    """Give a scout, a CT of 12 slices and one of 24, found in this order."""
    study = make_study("1.1", "1.2", "1.3")
    scout, small, large = study.series
    scout = replace(scout, problems=(Problem(Code.LOCALIZER, "This is a localizer."),))
    large = replace(large, slices=tuple(SliceSource(Path(f"{i}.dcm")) for i in range(24)))
    return SlowReader(
        replace(study, series=(scout, small, large)),
        {uid: make_volume(uid) for uid in ("1.1", "1.2", "1.3")},
    )


@pytest.fixture
def scanning(window: MainWindow, slow: SlowReader) -> Iterator[MainWindow]:
    """Give the real window in the middle of opening a folder, with nothing found yet."""
    window.opener._reader = lambda: slow
    window.opener.open_paths([FOLDER])
    yield window
    slow.go.set()
    slow.steps.release(9)


def listed(window: MainWindow) -> list[str]:
    """Return the texts of the series in the tree."""
    texts = []
    items = QTreeWidgetItemIterator(window.tree.tree)
    while items.value() is not None:
        if items.value().childCount() == 0:
            texts.append(items.value().text(0))
        items += 1
    return texts


def test_the_first_series_is_shown_while_the_rest_is_read(
    qtbot: Any, scanning: MainWindow, slow: SlowReader
) -> None:
    session = scanning.session
    qtbot.waitUntil(lambda: scanning.status.stage.text() == "Reading headers 1,000/5,000")
    assert scanning.status.cancel_button.isVisible()
    slow.steps.release()
    qtbot.waitUntil(lambda: len(listed(scanning)) == 1)
    # A scout is listed, and something better waited for.
    assert session.volume is None
    slow.steps.release()
    qtbot.waitUntil(lambda: session.volume is not None)
    assert session.series is slow.study.series[1]
    assert scanning.busy
    # The larger series comes later, and does not take the place.
    session.set_position(3)
    slow.steps.release()
    qtbot.waitUntil(lambda: len(listed(scanning)) == 3)
    slow.steps.release()
    qtbot.waitUntil(lambda: not scanning.busy)
    assert session.series is slow.study.series[1]
    assert session.position == 3
    chosen = scanning.tree.tree.currentItem()
    assert chosen is not None
    assert "Thorax 2" in chosen.text(0)
    assert scanning.messages.messages == ()


def test_another_series_can_be_read_while_the_scan_goes_on(
    qtbot: Any, scanning: MainWindow, slow: SlowReader
) -> None:
    session = scanning.session
    slow.steps.release(2)
    qtbot.waitUntil(lambda: session.volume is not None)
    scanning.opener.step_series(-1)
    qtbot.waitUntil(lambda: session.series is slow.study.series[0])
    assert scanning.busy
    slow.steps.release(2)
    qtbot.waitUntil(lambda: not scanning.busy)
    assert session.series is slow.study.series[0]
    assert len(listed(scanning)) == 3


def test_the_scan_gives_way_while_pixels_are_read(
    qtbot: Any, scanning: MainWindow, slow: SlowReader
) -> None:
    slow.go.clear()
    slow.steps.release(2)
    qtbot.waitUntil(lambda: scanning._workers["opening"].busy)
    qtbot.wait(30)
    before = slow.asked
    qtbot.wait(100)
    assert slow.asked == before
    slow.go.set()
    qtbot.waitUntil(lambda: slow.asked > before)
    assert scanning.session.volume is not None


def test_cancelling_while_pixels_are_read_stops_both(
    qtbot: Any, scanning: MainWindow, slow: SlowReader
) -> None:
    slow.go.clear()
    slow.steps.release(2)
    qtbot.waitUntil(lambda: scanning._workers["opening"].busy)
    scanning.cancel()
    slow.go.set()
    qtbot.waitUntil(lambda: not scanning.busy)
    assert scanning.session.volume is None
    assert len(listed(scanning)) == 2


def test_cancelling_keeps_what_has_been_found(
    qtbot: Any, scanning: MainWindow, slow: SlowReader
) -> None:
    slow.steps.release(2)
    qtbot.waitUntil(lambda: scanning.session.volume is not None)
    scanning.cancel()
    qtbot.waitUntil(lambda: not scanning.busy)
    assert len(listed(scanning)) == 2
    assert scanning.session.volume is not None
    (message,) = scanning.messages.messages
    assert message.sentence == "Reading was cancelled; what had been found is in the study list."


def test_opening_the_same_again_takes_nothing_off_the_list(
    qtbot: Any, scanning: MainWindow, slow: SlowReader
) -> None:
    slow.steps.release(4)
    qtbot.waitUntil(lambda: not scanning.busy and len(listed(scanning)) == 3)
    scanning.opener.open_paths([FOLDER])
    slow.steps.release(2)
    qtbot.waitUntil(lambda: slow.steps._value == 0 and not scanning._workers["opening"].busy)
    qtbot.wait(50)
    assert len(listed(scanning)) == 3
    scanning.cancel()
    qtbot.waitUntil(lambda: not scanning.busy)
    assert len(listed(scanning)) == 3


def test_cancelling_before_anything_was_found_says_nothing(
    qtbot: Any, scanning: MainWindow
) -> None:
    qtbot.waitUntil(lambda: "Reading headers" in scanning.status.stage.text())
    scanning.cancel()
    qtbot.waitUntil(lambda: not scanning.busy)
    assert listed(scanning) == []
    assert scanning.messages.messages == ()


def test_further_slices_of_the_open_series_are_said_and_not_forced_upon_the_reader(
    qtbot: Any, scanning: MainWindow, slow: SlowReader
) -> None:
    scout, small, large = slow.study.series
    grown = replace(small, slices=tuple(SliceSource(Path(f"s{i}.dcm")) for i in range(40)))
    slow.final = replace(slow.study, series=(scout, grown, large))
    slow.steps.release(2)
    qtbot.waitUntil(lambda: scanning.session.volume is not None)
    slow.steps.release(2)
    qtbot.waitUntil(lambda: not scanning.busy)
    assert scanning.session.series is small
    (message,) = scanning.messages.messages
    assert "40 instead of 12. Choose it in the study list" in message.sentence
    scanning.opener.show_series(slow.final, grown)
    qtbot.waitUntil(lambda: scanning.session.series is grown)


def test_opening_something_else_drops_what_the_first_still_finds(
    qtbot: Any, scanning: MainWindow, slow: SlowReader, make_study: Callable[..., Study]
) -> None:
    slow.steps.release(2)
    qtbot.waitUntil(lambda: scanning.session.volume is not None)
    other = SlowReader(make_study("1.2", uid="1.9"), slow.volumes)
    other.steps.release(9)
    scanning.opener._reader = lambda: other
    scanning.opener.open_paths([Path("/data/other")])
    qtbot.waitUntil(lambda: not scanning.busy and scanning.session.study is not None
                    and scanning.session.study.uid == "1.9")  # fmt: skip
    assert len(listed(scanning)) == 3
    assert scanning.messages.messages == ()


def test_a_worker_of_ones_own_is_not_needed(qtbot: Any, session: Any, slow: SlowReader) -> None:
    from viewer.worker import Worker

    worker = Worker("opening")
    opener = Opener(session, worker, lambda: slow)
    slow.steps.release(9)
    opener.open_paths([FOLDER])
    qtbot.waitUntil(lambda: session.volume is not None and not worker.busy)
    assert session.series is slow.study.series[1]
    worker.close()
