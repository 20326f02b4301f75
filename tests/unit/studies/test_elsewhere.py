"""Other processes do what would hold up a window, and may die of it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.studies.elsewhere import Elsewhere, LostError, current, working_elsewhere

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    made = Elsewhere(processes=1)
    yield made
    made.close()


def _die() -> None:
    os._exit(3)


def _die_the_first_time(trace: Path) -> int:
    """Die, unless there is a trace of having done so."""
    if not trace.exists():
        trace.touch()
        os._exit(3)
    return os.getpid()


def _hold_the_interpreter() -> int:
    return sum(range(20_000_000))


def _refuse(text: str) -> None:
    raise ValueError(text)


def test_it_is_another_process_and_stays_the_same(elsewhere: Elsewhere) -> None:
    first = elsewhere.run(os.getpid)
    assert first != os.getpid()
    assert elsewhere.run(os.getpid) == first
    elsewhere.close()
    assert elsewhere.run(os.getpid) not in {first, os.getpid()}, "it comes again"


def test_what_it_raises_is_raised(elsewhere: Elsewhere) -> None:
    with pytest.raises(ValueError, match="a sentence"):
        elsewhere.run(_refuse, "a sentence")


def test_other_threads_go_on_meanwhile(elsewhere: Elsewhere) -> None:
    elsewhere.run(os.getpid)
    beats, end = [], threading.Event()

    def beat() -> None:
        while not end.wait(0.001):
            beats.append(time.thread_time())

    thread = threading.Thread(target=beat)
    thread.start()
    elsewhere.run(_hold_the_interpreter)
    end.set()
    thread.join()
    assert len(beats) > 20


def test_a_call_that_kills_its_process_is_lost_alone(elsewhere: Elsewhere, tmp_path: Path) -> None:
    with pytest.raises(LostError):
        elsewhere.run(_die)
    assert elsewhere.run(abs, -3) == 3, "others are not"
    assert elsewhere.run(_die_the_first_time, tmp_path / "trace") != os.getpid(), "tried twice"


def test_calls_that_share_a_dying_process_are_answered() -> None:
    made, answers = Elsewhere(processes=2), []
    threads = [
        threading.Thread(target=lambda n=n: answers.append(made.run(abs, -n))) for n in range(6)
    ]
    try:
        made.run(abs, 0)
        for thread in threads:
            thread.start()
        with pytest.raises(LostError):
            made.run(_die)
        for thread in threads:
            thread.join()
    finally:
        made.close()
    assert sorted(answers) == [0, 1, 2, 3, 4, 5]


def test_it_is_warm_when_it_has_answered(elsewhere: Elsewhere) -> None:
    assert not elsewhere.is_warm()
    end = time.monotonic() + 60
    while not elsewhere.is_warm() and time.monotonic() < end:
        time.sleep(0.01)
    assert elsewhere.is_warm()
    elsewhere.close()
    assert not elsewhere.is_warm()


def test_it_goes_when_it_is_idle() -> None:
    made = Elsewhere(processes=1, idle_seconds=0.2)
    try:
        first = made.run(os.getpid)
        end = time.monotonic() + 60
        while _lives(first) and time.monotonic() < end:
            time.sleep(0.05)
        assert not _lives(first)
        assert made.run(os.getpid) != first
    finally:
        made.close()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_where_no_process_starts_the_caller_learns(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(_processes: int) -> None:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr("inference.studies.elsewhere._pool", none)
    with pytest.raises(OSError, match="no more"):
        elsewhere.run(os.getpid)
    assert not elsewhere.is_warm()


def test_one_is_at_hand_where_the_program_wants_it() -> None:
    assert current() is None
    with working_elsewhere() as ours:
        assert current() is ours
    assert current() is None
