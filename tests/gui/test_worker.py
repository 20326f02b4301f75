"""The worker: answers on the window's thread, exactly one of three, and cancellation that holds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QThread

from inference.errors import BadInputError
from inference.faults import log_file
from inference.progress import Progress
from viewer.worker import Job, Worker


@pytest.fixture
def worker(qapp: Any) -> Iterator[Worker]:
    """Give a worker that is closed at the end."""
    worker = Worker("test")
    yield worker
    worker.close()


class Heard:
    """Remembers which answer was called, and where."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, object]] = []
        self.threads: list[QThread] = []

    def job(self, work: Any, *, quiet: bool = False) -> Job:
        """Make a job that tells this object."""
        return Job(
            "Testing",
            work,
            lambda result: self._hear("done", result),
            lambda sentence: self._hear("failed", sentence),
            lambda: self._hear("cancelled", None),
            quiet,
        )

    def _hear(self, answer: str, value: object) -> None:
        self.answers.append((answer, value))
        self.threads.append(QThread.currentThread())


def test_result_arrives_on_the_thread_of_the_window(qtbot: Any, worker: Worker) -> None:
    heard = Heard()
    idents: list[int] = []

    def work(_progress: Progress) -> int:
        idents.append(threading.get_ident())
        return 42

    worker.submit(heard.job(work))
    qtbot.waitUntil(lambda: bool(heard.answers))
    assert heard.answers == [("done", 42)]
    assert heard.threads == [QThread.currentThread()]
    assert idents != [threading.get_ident()]


def test_jobs_run_in_order_on_one_thread(qtbot: Any, worker: Worker) -> None:
    heard = Heard()
    idents: set[int] = set()

    def work(number: int) -> Any:
        def doing(_progress: Progress) -> int:
            idents.add(threading.get_ident())
            return number

        return doing

    for number in range(5):
        worker.submit(heard.job(work(number)))
    qtbot.waitUntil(lambda: len(heard.answers) == 5)
    assert [value for _, value in heard.answers] == [0, 1, 2, 3, 4]
    assert len(idents) == 1


def test_an_error_for_the_reader_arrives_as_its_sentence(qtbot: Any, worker: Worker) -> None:
    heard = Heard()

    def work(_progress: Progress) -> None:
        raise BadInputError("The folder is empty; choose another.")

    worker.submit(heard.job(work))
    qtbot.waitUntil(lambda: bool(heard.answers))
    assert heard.answers == [("failed", "The folder is empty; choose another.")]


def test_an_unforeseen_error_becomes_a_sentence_and_a_log_without_names(
    qtbot: Any, worker: Worker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    heard = Heard()

    def work(_progress: Progress) -> None:
        raise ValueError("Doe^Jane has a strange header")

    worker.submit(heard.job(work))
    qtbot.waitUntil(lambda: bool(heard.answers))
    answer, sentence = heard.answers[0]
    assert answer == "failed"
    assert "Testing" in str(sentence)
    assert "ValueError" in str(sentence)
    assert "Traceback" not in str(sentence)
    assert "Doe" not in str(sentence)
    log = log_file().read_text(encoding="utf-8")
    assert "ValueError" in log
    assert "test_worker.py" in log
    assert "Doe" not in log


def test_cancel_stops_the_running_job_and_the_waiting_ones(qtbot: Any, worker: Worker) -> None:
    heard = Heard()
    started = threading.Event()

    def endless(progress: Progress) -> None:
        while True:
            started.set()
            progress.report("Working", 1, 2)

    worker.submit(heard.job(endless))
    worker.submit(heard.job(lambda _progress: 1))
    qtbot.waitUntil(started.is_set)
    worker.cancel()
    qtbot.waitUntil(lambda: len(heard.answers) == 2)
    assert [answer for answer, _ in heard.answers] == ["cancelled", "cancelled"]
    assert not worker.busy


def test_a_result_that_comes_after_cancel_is_thrown_away(qtbot: Any, worker: Worker) -> None:
    heard = Heard()
    go, started = threading.Event(), threading.Event()

    def deaf(_progress: Progress) -> str:
        started.set()
        go.wait(10)
        return "too late"

    job = worker.submit(heard.job(deaf))
    qtbot.waitUntil(started.is_set)
    job.cancel()
    go.set()
    qtbot.waitUntil(lambda: bool(heard.answers))
    assert heard.answers == [("cancelled", None)]


def test_quiet_jobs_are_no_activity(qtbot: Any, worker: Worker) -> None:
    heard = Heard()
    seen: list[tuple[str, int, int]] = []
    changes: list[bool] = []
    worker.progressed.connect(lambda *progress: seen.append(progress))
    worker.busy_changed.connect(changes.append)

    def work(progress: Progress) -> None:
        progress.report("Drawing", 1, 1)

    worker.submit(heard.job(work, quiet=True))
    assert not worker.busy
    worker.cancel()
    qtbot.waitUntil(lambda: bool(heard.answers))
    assert heard.answers == [("done", None)]
    assert (seen, changes) == ([], [])


def test_activity_begins_and_ends_once(qtbot: Any, worker: Worker) -> None:
    heard = Heard()
    changes: list[bool] = []
    seen: list[tuple[str, int, int]] = []
    worker.busy_changed.connect(changes.append)
    worker.progressed.connect(lambda *progress: seen.append(progress))

    def work(progress: Progress) -> None:
        for done in range(200):
            progress.report("Working", done + 1, 200)

    worker.submit(heard.job(work))
    worker.submit(heard.job(work))
    assert worker.title == "Testing"
    qtbot.waitUntil(lambda: len(heard.answers) == 2)
    assert changes == [True, False]
    assert ("Working", 200, 200) in seen
    # Two hundred reports in a moment are not two hundred redraws.
    assert len(seen) < 100


def test_closing_waits_for_the_thread_and_silences_answers(qtbot: Any) -> None:
    worker = Worker("closing")
    heard = Heard()
    started = threading.Event()

    def endless(progress: Progress) -> None:
        while True:
            started.set()
            progress.report("Working", 1, 2)

    worker.submit(heard.job(endless))
    qtbot.waitUntil(started.is_set)
    worker.close()
    qtbot.wait(20)
    assert heard.answers == []
    assert all(thread.name != "closing" for thread in threading.enumerate())
    with pytest.raises(RuntimeError):
        worker.submit(heard.job(endless))
