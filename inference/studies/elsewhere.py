"""What keeps the interpreter to itself, or may end its process, is done by other processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock, Timer
from typing import Any, Final, ParamSpec, TypeVar

from inference.studies.elsewhere_process import Bounds, LostError, NoProcessError, Worker

__all__ = ["Bounds", "Elsewhere", "LostError", "NoProcessError", "current", "working_elsewhere"]

_MOST: Final = 8
"""Each process takes about 70 MB, and no more threads than so many read at a time."""
_IDLE_SECONDS: Final = 60.0
_USUAL: Final = Bounds(memory=1 << 30, seconds=300.0)

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Elsewhere:
    """A few processes that come when they are needed, and go when they are not any more.

    Parameters
    ----------
    processes
        How many at most; None: as many as processors, and no more than eight.
    idle_seconds
        They go after so long without work.
    """

    def __init__(self, processes: int | None = None, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._places = BoundedSemaphore(processes or min(_MOST, os.cpu_count() or 1))
        self._idle_seconds = idle_seconds
        self._lock = Lock()
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._timer: Timer | None = None

    def run(self, function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call a function there within usual bounds; see `run_within`."""
        return self.run_within(_USUAL, function, *args, **kwargs)

    def run_within(
        self, bounds: Bounds, function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        """Call a function there, and wait for it without keeping the interpreter.

        Parameters
        ----------
        bounds
            What it may take.
        function
            Of a module's top level.
        args, kwargs
            What can be pickled.

        Raises
        ------
        LostError
            When it ends its process or takes more than it may; no other call is harmed.
        NoProcessError
            When none can be started.
        Exception
            What the function raises.
        """
        with self._places:
            worker = self._taken()
            try:
                worker.wait()
                answer: Any = worker.ask(bounds, function, *args, **kwargs)
            except (LostError, NoProcessError):
                self._lose(worker)
                raise
            except BaseException:
                self._give_back(worker)
                raise
            self._give_back(worker)
            return answer  # type: ignore[no-any-return]

    def expect(self, *modules: str) -> None:
        """Have a process come that will be needed soon, and do not wait for it.

        Parameters
        ----------
        modules
            What it will need.
        """
        with self._lock:
            if self._idle or self._busy:
                return
            try:
                self._idle.append(Worker(modules))
            except NoProcessError:
                return  # who needs it will be told
            self._rest_later()

    def has_any(self) -> bool:
        """Whether a process is there, or on its way."""
        with self._lock:
            return bool(self._idle or self._busy)

    def is_warm(self) -> bool:
        """Whether a process is there that would answer at once."""
        with self._lock:
            return any(worker.is_ready() for worker in self._idle)

    def close(self) -> None:
        """End the processes, also those at work; they come again when there is something to do."""
        with self._lock:
            for worker in self._busy:
                worker.kill()
        self._rest()

    def _taken(self) -> Worker:
        """An idle process, or a new one."""
        with self._lock:
            self._stop_timer()
            while self._idle:
                worker = self._idle.pop()
                if worker.lives():
                    break
                worker.end()
            else:
                worker = Worker()
            self._busy.add(worker)
            return worker

    def _lose(self, worker: Worker) -> None:
        worker.kill()
        worker.end()
        with self._lock:
            self._busy.discard(worker)
            self._rest_later()

    def _give_back(self, worker: Worker) -> None:
        with self._lock:
            self._busy.discard(worker)
            self._idle.append(worker)
            self._rest_later()

    def _rest_later(self) -> None:
        """End all after a while, if nothing is at work; the lock is held."""
        self._stop_timer()
        if self._idle and not self._busy:
            self._timer = Timer(self._idle_seconds, self._rest)
            self._timer.daemon = True
            self._timer.start()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _rest(self) -> None:
        with self._lock:
            self._stop_timer()
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()


_at_hand: list[Elsewhere] = []


def current() -> Elsewhere | None:
    """Where such work is done; None where the program has asked for no such processes."""
    return _at_hand[-1] if _at_hand else None


@contextmanager
def working_elsewhere() -> Iterator[Elsewhere]:
    """Let other processes do what keeps the interpreter or may end its process, within.

    The processes import the program's main module, which must therefore do nothing when it is
    imported. What crashes there does not end the program.
    """
    ours = Elsewhere()
    _at_hand.append(ours)
    try:
        yield ours
    finally:
        _at_hand.remove(ours)
        ours.close()
