"""One process that does for another what may hold it up, or end it; both its ends."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["Bounds", "LostError", "NoProcessError", "Worker"]

_START_SECONDS: Final = 60.0
"""A machine on which Python takes longer to come has other sorrows."""
_END_SECONDS: Final = 2.0
_STATM: Final = Path("/proc/self/statm")
_OOM: Final = Path("/proc/self/oom_score_adj")
_FIRST_TO_GO: Final = "900"


class LostError(Exception):
    """The process died of it, took more than it may, or was ended meanwhile."""


class NoProcessError(Exception):
    """No process can be started here."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a call may take.

    Parameters
    ----------
    memory
        Bytes beside those that the process has already. Known to the system on Linux alone.
    seconds
        After which the process is ended.
    """

    memory: int
    seconds: float


class Worker:
    """The near end of a process, for one thread at a time.

    Parameters
    ----------
    modules
        What it imports first, since it will be needed.

    Raises
    ------
    NoProcessError
        When none can be started.
    """

    def __init__(self, modules: tuple[str, ...] = ()) -> None:
        # Not needed by most who start the program.
        from multiprocessing import get_context

        # Forking would copy threads' locks as they happen to be.
        context = get_context("spawn")
        self._pipe, there = context.Pipe()
        self._ready = False
        self._process = context.Process(
            target=_serve, args=(there, modules), name="SecondRead reading", daemon=True
        )
        try:
            self._process.start()
        except OSError as error:
            self._pipe.close()
            raise NoProcessError from error
        finally:
            there.close()

    def wait(self) -> None:
        """Wait until it is there and has imported what it imports first.

        Raises
        ------
        NoProcessError
            When it never comes.
        """
        if self._ready:
            return
        try:
            self._ready = self._pipe.poll(_START_SECONDS) and bool(self._pipe.recv())
        except (EOFError, OSError):
            self._ready = False
        if not self._ready:
            raise NoProcessError

    def is_ready(self) -> bool:
        """Whether it would answer at once, had it nothing to do."""
        return self._ready or (self.lives() and self._pipe.poll())

    def lives(self) -> bool:
        """Whether it has not ended; asked between calls."""
        return self._process.is_alive()

    def ask(self, bounds: Bounds, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function there, and wait for it without keeping the interpreter.

        Raises
        ------
        LostError
            When the process has died of it or was ended.
        Exception
            What the function raises.
        """
        try:
            self._pipe.send((bounds.memory, function, args, kwargs))
            if not self._pipe.poll(bounds.seconds):
                raise LostError("it took too long")
            went_well, answer = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise LostError("it died") from error
        if went_well:
            return answer
        raise answer

    def kill(self) -> None:
        """End it at once, from any thread; who waits for its answer learns that it is lost."""
        # It may have been ended, and forgotten, by whoever waited.
        with suppress(ValueError):
            self._process.kill()

    def end(self) -> None:
        """End it, kindly unless it is busy."""
        self._pipe.close()
        self._process.join(_END_SECONDS if self._ready else 0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        # Another thread may just be asking how it ended.
        with suppress(ValueError):
            self._process.close()


def _serve(pipe: Connection, modules: tuple[str, ...]) -> None:
    """Do what is asked until the other end is closed; the far end."""
    _begin()
    for module in modules:
        import_module(module)
    used = _address_space()
    try:
        pipe.send(True)
        while True:
            memory, function, args, kwargs = pipe.recv()
            # What libraries take once and keep, such as threads' stacks, is no call's doing.
            used = max(used, _address_space())
            _limit(used + memory)
            try:
                answer = True, function(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is raised there
                answer = False, _portable(error)
            _limit(None)
            pipe.send(answer)
            # Not held while waiting.
            del answer, function, args, kwargs
    except (EOFError, OSError):
        return


def _begin() -> None:
    # Ctrl+C in a terminal goes to all; the program decides when these end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _silence()
    if sys.platform != "win32":
        import resource

        # A dump of the memory would hold a patient's images.
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):
        # Where memory runs out, this goes before the program does.
        _OOM.write_text(_FIRST_TO_GO, "ascii")


def _silence() -> None:
    """Let nothing that libraries say reach a terminal: what is wrong is said by the answer."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for descriptor in (1, 2):
            os.dup2(nowhere, descriptor)
        os.close(nowhere)


def _portable(error: Exception) -> Exception:
    """Return what can be sent: the error itself, or its words."""
    from multiprocessing.reduction import ForkingPickler

    try:
        ForkingPickler.loads(ForkingPickler.dumps(error))
    except Exception:  # noqa: BLE001 - its own methods run
        return RuntimeError(repr(error))
    return error


def _address_space() -> int:
    """Return the bytes that this process may touch; 0 where the system does not say."""
    try:
        return int(_STATM.read_bytes().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def _limit(wanted: int | None) -> None:
    """Allow so many bytes of address space; None: as many as the machine has.

    What lies beyond is refused to the library that asks, which raises or ends the process.
    """
    if sys.platform == "win32" or not _STATM.exists():
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_AS)
    if wanted is None or (most != resource.RLIM_INFINITY and wanted > most):
        wanted = most
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (wanted, most))
