"""Other processes do what would hold up a window, and may die of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from inference.studies import elsewhere_process
from inference.studies.elsewhere import (
    Bounds,
    Elsewhere,
    LostError,
    NoProcessError,
    current,
    working_elsewhere,
)

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    made = Elsewhere(processes=1)
    yield made
    made.close()


def _die() -> None:
    os._exit(3)


def _take(count: int) -> int:
    return len(bytearray(count))


def _speak() -> None:
    for descriptor in (1, 2):
        os.write(descriptor, b"a library says something")


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


@pytest.mark.parametrize("how", [_die, os.abort])
def test_a_call_that_kills_its_process_is_lost_alone(elsewhere: Elsewhere, how: Any) -> None:
    with pytest.raises(LostError):
        elsewhere.run(how)
    assert elsewhere.run(abs, -3) == 3, "others are not"


@pytest.mark.skipif(sys.platform == "win32", reason="processes are asked whether they live")
def test_a_process_that_is_killed_while_it_waits_costs_nothing(elsewhere: Elsewhere) -> None:
    first = elsewhere.run(os.getpid)
    os.kill(first, signal.SIGKILL)
    # Left unreaped, since that is the reader's part.
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert elsewhere.run(os.getpid) not in {first, os.getpid()}


@pytest.mark.skipif(sys.platform != "linux", reason="the system knows no such limit")
def test_a_call_gets_no_more_memory_than_it_may(elsewhere: Elsewhere) -> None:
    bounds = Bounds(memory=1 << 28, seconds=60)
    with pytest.raises(MemoryError):
        elsewhere.run_within(bounds, _take, 1 << 29)
    assert elsewhere.run_within(bounds, _take, 1 << 27) == 1 << 27
    assert elsewhere.run(_take, 1 << 29) == 1 << 29, "the next may take more"


def test_a_call_that_never_ends_is_ended(elsewhere: Elsewhere) -> None:
    with pytest.raises(LostError):
        elsewhere.run_within(Bounds(memory=1 << 28, seconds=0.2), time.sleep, 3600)
    assert elsewhere.run(abs, -3) == 3


def test_closing_waits_for_no_call(elsewhere: Elsewhere) -> None:
    elsewhere.run(os.getpid)
    lost = threading.Event()

    def sleep() -> None:
        with pytest.raises(LostError):
            elsewhere.run(time.sleep, 3600)
        lost.set()

    thread = threading.Thread(target=sleep)
    thread.start()
    end = time.monotonic() + 60
    while elsewhere.is_warm() and time.monotonic() < end:
        time.sleep(0.01)
    elsewhere.close()
    thread.join(60)
    assert lost.is_set()


def test_nothing_that_a_library_says_reaches_the_terminal(
    elsewhere: Elsewhere, capfd: pytest.CaptureFixture[str]
) -> None:
    elsewhere.run(_speak)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform == "win32", reason="processes are asked whether they live")
def test_it_goes_with_the_program_that_asked_for_it() -> None:
    code = (
        "import os, time\n"
        "from inference.studies.elsewhere import Elsewhere\n"
        "print(Elsewhere().run(os.getpid), flush=True)\n"
        "time.sleep(3600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        process = int(program.stdout.readline())
        assert _lives(process)
        program.kill()
        end = time.monotonic() + 60
        while _lives(process) and time.monotonic() < end:
            time.sleep(0.05)
        assert not _lives(process)


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


def test_one_that_is_expected_comes_meanwhile(elsewhere: Elsewhere) -> None:
    assert not elsewhere.is_warm()
    elsewhere.expect("colorsys")
    elsewhere.expect("colorsys")
    end = time.monotonic() + 60
    while not elsewhere.is_warm() and time.monotonic() < end:
        time.sleep(0.01)
    assert elsewhere.is_warm()
    assert elsewhere.run(_knows, "colorsys")
    elsewhere.close()
    assert not elsewhere.is_warm()


def _knows(module: str) -> bool:
    return module in sys.modules


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
    def none(*_args: object) -> None:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr("multiprocessing.process.BaseProcess.start", none)
    elsewhere.expect()
    with pytest.raises(NoProcessError):
        elsewhere.run(os.getpid)
    assert not elsewhere.is_warm()


def test_where_every_process_dies_at_once_the_caller_learns(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elsewhere_process, "_serve", _die_at_once)
    with pytest.raises(NoProcessError):
        elsewhere.run(os.getpid)


def _die_at_once(*_args: object) -> None:
    os._exit(11)


def test_one_is_at_hand_where_the_program_wants_it() -> None:
    assert current() is None
    with working_elsewhere() as ours:
        assert current() is ours
    assert current() is None
