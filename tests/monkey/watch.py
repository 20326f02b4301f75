"""Sees what must not happen: faults, warnings of Qt, a window that hangs, memory that grows."""

from __future__ import annotations

import faulthandler
import gc
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TextIO

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

import inference.faults
from tests.e2e.memory import memory_mb
from tests.gui.heartbeat import Heartbeat

__all__ = ["Growth", "Trouble", "Watch", "hear_faults", "loaded_files"]

_HARMLESS: Final = (
    # Without a window manager there is nobody to ask for it.
    "This plugin does not support raise()",
    "This plugin does not support propagateSizeHints()",
)
_LOOK_SECONDS: Final = 0.1
_NETWORKS: Final = (".safetensors", ".bin", ".onnx")
"""Endings of files of weights."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What must not happen, and did.

    Parameters
    ----------
    kind
        ``"fault"``, ``"Qt warning"``, ``"hang"`` or ``"memory"``.
    text
        What is known of it.
    """

    kind: str
    text: str


class _Heard:
    """What other code tells, on any thread, until somebody takes it."""

    def __init__(self) -> None:
        self._troubles: list[Trouble] = []
        self._file: TextIO | None = None

    def write_to(self, file: TextIO) -> None:
        """Write it down at once, too: a crash may follow."""
        self._file = file

    def tell(self, kind: str, text: str) -> None:
        """Keep what was heard."""
        self._troubles.append(Trouble(kind, text))
        if self._file is not None:
            self._file.write(f"{kind}: {text}\n")
            self._file.flush()

    def take(self) -> Trouble | None:
        """Return all of it as one, or None."""
        troubles = [self._troubles.pop(0) for _ in range(len(self._troubles))]
        if not troubles:
            return None
        # A fault in painting is followed by a warning of Qt, or follows it.
        kind = min((each.kind for each in troubles), key=lambda kind: kind != "fault")
        told = dict.fromkeys(f"{each.kind}: {each.text}" for each in troubles)
        return Trouble(kind, "\n".join(told))


_heard = _Heard()


def hear_faults(file: TextIO) -> None:
    """Hear of every fault with all of its words; to be called before the window is imported.

    The program's own log leaves the words out, since they may name a patient.

    Parameters
    ----------
    file
        Gets at once what is heard.
    """
    _heard.write_to(file)
    record = inference.faults.record

    def told(error: BaseException, doing: str, **more: str) -> str:
        said = "".join(traceback.format_exception(error))
        _heard.tell("fault", " ".join((doing, *more.values(), f"\n{said}")))
        return record(error, doing, **more)

    def unraisable(ignored: Any) -> None:
        said = "".join(
            traceback.format_exception(ignored.exc_type, ignored.exc_value, ignored.exc_traceback)
        )
        _heard.tell("fault", f"{ignored.err_msg} {ignored.object!r}\n{said}")

    def in_thread(ended: threading.ExceptHookArgs) -> None:
        said = "".join(
            traceback.format_exception(ended.exc_type, ended.exc_value, ended.exc_traceback)
        )
        _heard.tell("fault", f"in a thread\n{said}")

    def hook(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
        said = "".join(traceback.format_exception(kind, error, at))
        _heard.tell("fault", f"that nobody hears of\n{said}")

    inference.faults.record = told
    sys.unraisablehook = unraisable
    threading.excepthook = in_thread
    sys.excepthook = hook


class Watch:
    """Looks at the window that runs in this process.

    Parameters
    ----------
    most_seconds
        For longer than this the window may not be held up, see `tests.gui.heartbeat`.
    """

    def __init__(self, most_seconds: float) -> None:
        self._most_seconds = most_seconds
        self._heart = Heartbeat()
        self._heart.start()
        self._stack = ""
        self._log = inference.faults.log_file()
        self._log_size = self._size()
        qInstallMessageHandler(self._hear_qt)
        threading.Thread(target=self._look_on, daemon=True, name="monkey-watch").start()

    def trouble(self) -> Trouble | None:
        """Return what has happened since the last call, or None."""
        heard = _heard.take()
        if heard is not None:
            return heard
        size = self._size()
        if size != self._log_size:
            self._log_size = size
            return Trouble("fault", f"in another process\n{self._log.read_text(encoding='utf-8')}")
        longest, self._heart.longest_ms = self._heart.longest_ms, 0.0
        if longest > 1000 * self._most_seconds:
            return Trouble(
                "hang", f"the window was held up for {longest / 1000:.1f} s\n{self._stack}"
            )
        return None

    def _size(self) -> int:
        return self._log.stat().st_size if self._log.exists() else 0

    def _hear_qt(self, kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
        if kind in {QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg} or text in _HARMLESS:
            return
        at = "".join(traceback.format_stack()[:-1])
        _heard.tell("Qt warning", f"{text}\n{at}")

    def _look_on(self) -> None:
        """Keep where the window's thread is while it is held up."""
        beats, since = -1, time.monotonic()
        while True:
            time.sleep(_LOOK_SECONDS)
            if self._heart.beats != beats:
                beats, since = self._heart.beats, time.monotonic()
            elif time.monotonic() - since > self._most_seconds / 2:
                # Read from outside: frames that Python makes for a thread at work can end it.
                with tempfile.TemporaryFile() as file:
                    faulthandler.dump_traceback(file)
                    file.seek(0)
                    self._stack = file.read().decode(errors="replace")


class Growth:
    """Compares memory and widgets at the same point of each round.

    Not looked at are the first rounds, which fill caches, and those before the last library or
    model came: what is asked for seldom is loaded late, and stays.

    Parameters
    ----------
    widgets
        Counts the widgets there are; those of Qt when None.
    loaded
        Gives the files of code and networks in memory; `loaded_files` when None.
    """

    WARM: Final = 4
    COMPARED: Final = 3
    MOST: Final = 1.25
    MOST_MB: Final = 300.0

    def __init__(
        self,
        widgets: Callable[[], int] | None = None,
        loaded: Callable[[], frozenset[str]] | None = None,
    ) -> None:
        self._widgets = widgets or (lambda: len(QApplication.allWidgets()))
        self._loaded = loaded or loaded_files
        self._files: frozenset[str] = frozenset()
        self._warm = self.WARM
        self._memory: list[float] = []
        self._counts: list[int] = []

    def look(self) -> Trouble | None:
        """Measure now; say so when it has grown since the first rounds that count."""
        gc.collect()
        self._memory.append(memory_mb())
        self._counts.append(self._widgets())
        files = self._loaded()
        if files - self._files:
            self._files |= files
            self._warm = max(self.WARM, len(self._memory))
        return self._grown("memory in MB", self._memory, self.MOST_MB) or self._grown(
            "widgets", [float(count) for count in self._counts], 200.0
        )

    def __str__(self) -> str:
        if not self._memory:
            return "no round ended"
        return f"{self._memory[-1]:.0f} MB, {self._counts[-1]} widgets"

    def _grown(self, what: str, seen: list[float], least: float) -> Trouble | None:
        if len(seen) < self._warm + 2 * self.COMPARED:
            return None
        early = max(seen[self._warm : self._warm + self.COMPARED])
        late = min(seen[-self.COMPARED :])
        if late <= self.MOST * early or late - early <= least:
            return None
        told = ", ".join(f"{value:.0f}" for value in seen)
        return Trouble("memory", f"{what} after each round, from the {self._warm}th on: {told}")


def loaded_files() -> frozenset[str]:
    """Return the libraries and networks that this process has in memory (Linux; else none)."""
    maps = Path("/proc/self/maps")
    if not maps.exists():
        return frozenset()
    lines = maps.read_text(encoding="utf-8", errors="replace").splitlines()
    files = {line.split(None, 5)[5] for line in lines if "/" in line}
    return frozenset(file for file in files if ".so" in file or file.endswith(_NETWORKS))
