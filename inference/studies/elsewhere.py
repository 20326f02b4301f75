"""What keeps the interpreter to itself is done by other processes, and nobody waits for it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import contextmanager
from threading import Lock, Timer
from typing import Final, ParamSpec, TypeVar

__all__ = ["Elsewhere", "LostError", "current", "working_elsewhere"]

_MOST: Final = 4
"""Each process takes about 70 MB, and the disk does not get quicker."""
_IDLE_SECONDS: Final = 60.0

_P = ParamSpec("_P")
_T = TypeVar("_T")


class LostError(Exception):
    """The process that did it has died, twice; or all were ended meanwhile."""


def _begin() -> None:
    # Ctrl+C in a terminal goes to all; the program decides when these end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _nothing() -> None:
    """What a process does first: it has imported everything then."""


class Elsewhere:
    """A few processes that come when they are needed, and go when they are not any more.

    Parameters
    ----------
    processes
        How many at most; None: as many as processors, and no more than four.
    idle_seconds
        They go after so long without work.
    """

    def __init__(self, processes: int | None = None, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._most = processes or min(_MOST, os.cpu_count() or 1)
        self._idle_seconds = idle_seconds
        self._lock = Lock()
        self._pool: Executor | None = None
        self._warm = False
        self._running = 0
        self._timer: Timer | None = None

    def run(self, function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call a function there, and wait for it without keeping the interpreter.

        Parameters
        ----------
        function
            Of a module's top level.
        args, kwargs
            What can be pickled.

        Raises
        ------
        LostError
            When it ends its process, also in one of its own.
        OSError
            When no process can be started.
        Exception
            What the function raises.
        """
        self._enter()
        try:
            pool = self._started()
            try:
                answer = pool.submit(function, *args, **kwargs).result()
            except BrokenExecutor:
                # Perhaps another call's doing, who shared the processes.
                self._drop(pool)
                answer = self._alone(function, *args, **kwargs)
        except CancelledError as error:
            raise LostError from error
        else:
            self._warm = True
            return answer
        finally:
            self._leave()

    def is_warm(self) -> bool:
        """Whether a process is there and has worked; if none was asked for, one is on its way."""
        if self._pool is None:
            self._enter()
            try:
                self._started().submit(_nothing).add_done_callback(self._arrived)
            except OSError:
                self._leave()
        return self._warm

    def works(self) -> bool:
        """Try it: whether a process comes and answers here."""
        try:
            self.run(_nothing)
        except (LostError, OSError):
            return False
        return True

    def close(self) -> None:
        """End the processes; they come again when there is something to do."""
        with self._lock:
            pool = self._taken_away()
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)

    def _taken_away(self) -> Executor | None:
        """The processes, which nobody gets any more; the lock is held."""
        pool, self._pool, self._warm = self._pool, None, False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return pool

    def _arrived(self, first: Future[None]) -> None:
        self._warm = not first.cancelled() and first.exception() is None
        self._leave()

    def _started(self) -> Executor:
        with self._lock:
            if self._pool is None:
                self._pool = _pool(self._most)
            return self._pool

    def _drop(self, pool: Executor) -> None:
        with self._lock:
            if self._pool is pool:
                self._pool, self._warm = None, False
        pool.shutdown(wait=False)

    def _alone(self, function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        with _pool(1) as pool:
            try:
                return pool.submit(function, *args, **kwargs).result()
            except BrokenExecutor as error:
                raise LostError from error

    def _enter(self) -> None:
        with self._lock:
            self._running += 1
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _leave(self) -> None:
        with self._lock:
            self._running -= 1
            if self._running == 0 and self._pool is not None:
                self._timer = Timer(self._idle_seconds, self._rest)
                self._timer.daemon = True
                self._timer.start()

    def _rest(self) -> None:
        with self._lock:
            # Who has entered since has these processes in the hand.
            pool = self._taken_away() if self._running == 0 else None
        if pool is not None:
            pool.shutdown(wait=True)


_at_hand: list[Elsewhere] = []


def current() -> Elsewhere | None:
    """Where long work may be done; None where the program has asked for no such processes."""
    return _at_hand[-1] if _at_hand else None


@contextmanager
def working_elsewhere() -> Iterator[Elsewhere]:
    """Let other processes do what keeps the interpreter, within.

    For a program with a window. The processes import its main module, which must therefore do
    nothing when it is imported. What crashes there does not end the program.
    """
    ours = Elsewhere()
    _at_hand.append(ours)
    try:
        yield ours
    finally:
        _at_hand.remove(ours)
        ours.close()


def _pool(processes: int) -> Executor:
    # Not needed by most who start the program.
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Forking would copy threads' locks as they happen to be.
    return ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_begin)
