"""The bottom line while something takes long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt

from inference.progress import Progress
from viewer.session import ReadingSession
from viewer.status import StatusBar
from viewer.worker import Job, Worker


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give the time that the status bar reads; the test sets it."""
    now = [100.0]
    monkeypatch.setattr("viewer.status.time.monotonic", lambda: now[0])
    return now


@pytest.fixture
def worker(qapp: Any) -> Iterator[Worker]:
    made = Worker("testing")
    yield made
    made.close()


@pytest.fixture
def bar(qtbot: Any, session: ReadingSession, worker: Worker) -> StatusBar:
    made = StatusBar(session, (worker,), worker.cancel, lambda: "device: automatic")
    qtbot.addWidget(made)
    made.resize(1000, 30)
    made.show()
    return made


def waiting(cancelled: list[str]) -> Job:
    """Make work that goes on until it is cancelled."""

    def work(progress: Progress) -> None:
        progress.cancelled.wait(10)

    return Job("Analysing", work, cancelled.append, cancelled.append, lambda: cancelled.append("x"))


def test_stage_counts_time_left_and_cancel(
    qtbot: Any, bar: StatusBar, worker: Worker, clock: list[float]
) -> None:
    told: list[str] = []
    assert not bar.cancel_button.isVisible()
    worker.submit(waiting(told))
    assert bar.stage.text() == "Analysing…"
    assert bar.cancel_button.isVisible()
    worker.progressed.emit("Analysing slices", 0, 50)
    assert (bar.stage.text(), bar.left.text()) == ("Analysing slices 0/50", "")
    clock[0] += 0.5
    worker.progressed.emit("Analysing slices", 5, 50)
    assert bar.left.text() == "", "too early to know"
    clock[0] += 5.5
    worker.progressed.emit("Analysing slices", 20, 50)
    assert bar.left.text() == "about 9 s left"
    assert (bar.bar.value(), bar.bar.maximum()) == (20, 50)
    # Another stage begins anew.
    worker.progressed.emit("Measuring", 1, 3)
    assert bar.left.text() == ""
    qtbot.mouseClick(bar.cancel_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: told == ["x"])
    assert not bar.cancel_button.isVisible()
    assert bar.stage.text() == ""


def test_the_line_is_as_high_with_a_job_as_without(
    qtbot: Any, bar: StatusBar, worker: Worker
) -> None:
    """The pictures above share the window with it, and would be drawn anew at another size."""
    told: list[str] = []
    before = bar.sizeHint().height()
    worker.submit(waiting(told))
    assert bar.cancel_button.isVisible()
    assert bar.sizeHint().height() == before
    assert bar.cancel_button.sizeHint().height() <= before
    worker.cancel()
    qtbot.waitUntil(lambda: not bar.cancel_button.isVisible())
    assert bar.sizeHint().height() == before


def test_tooltips_show_the_keys_in_use(
    bar: StatusBar, session: ReadingSession, make_study: Callable[..., Any]
) -> None:
    assert bar.cancel_button.toolTip() == "Stop what is being done (Esc)"
    session.manner.set_keys({"cancel": "F4"})
    assert bar.cancel_button.toolTip() == "Stop what is being done (F4)"
    session.manner.set_keys({})
    assert bar.cancel_button.toolTip() == "Stop what is being done"
