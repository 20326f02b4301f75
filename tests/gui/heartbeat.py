"""A heartbeat in the event loop tells for how long the window was held up.

What other programs take on a busy machine is not held against the window. On Linux the kernel says
for how long each thread stood in line for a processor; the wait of the window's thread is taken
off, and the longest of another of Python's threads, which may have held the interpreter meanwhile.
Elsewhere only the processor time that the window's own thread has used between two heartbeats
counts.

Looking must not hold up what is looked at: Python's own reading of a file lets the interpreter go
and, beside a busy thread, waits some ms each time to have it back. The kernel is asked through
functions that keep it, and the time that this takes is not counted.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time

from PySide6.QtCore import QObject, Qt, QTimer

MOST_MS = 100.0
"""Longer than this the window may not be held up."""

_BEAT_MS = 5
_LINE_BYTES = 64


def stood_in_line() -> dict[int, float]:
    """Return for how long each of Python's threads has waited for a processor, in ms.

    Threads without Python cannot hold the interpreter and are left out. Empty where the system
    does not say.
    """
    if os.name != "posix":
        return {}
    libc = ctypes.PyDLL(None)
    line = ctypes.create_string_buffer(_LINE_BYTES)
    waits: dict[int, float] = {}
    for thread in threading.enumerate():
        path = f"/proc/self/task/{thread.native_id}/schedstat"
        file = libc.open(path.encode(), os.O_RDONLY)
        if file < 0:  # the thread has ended, or the system does not say
            continue
        length = libc.read(file, line, _LINE_BYTES)
        libc.close(file)
        fields = line.raw[: max(length, 0)].split()
        if thread.native_id is not None and len(fields) > 1:
            waits[thread.native_id] = int(fields[1]) / 1e6
    return waits


class Heartbeat(QObject):
    """Beats in the event loop and keeps the longest time between two beats."""

    def __init__(self) -> None:
        super().__init__()
        self.longest_ms = 0.0
        self.beats = 0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_BEAT_MS)
        self._timer.timeout.connect(self._beat)
        self._begin()

    def start(self) -> None:
        """Begin to count."""
        self._begin()
        self._timer.start()

    def stop(self) -> None:
        """Count what is still open, and stop."""
        self._beat()
        self._timer.stop()

    def _begin(self) -> None:
        self._waits = stood_in_line()
        self._clock, self._used = 1000 * time.perf_counter(), 1000 * time.thread_time()

    def _beat(self) -> None:
        clock = 1000 * time.perf_counter() - self._clock
        used = 1000 * time.thread_time() - self._used
        before = self._waits
        self._begin()
        waits = {task: wait - before.get(task, 0.0) for task, wait in self._waits.items()}
        own = waits.pop(threading.get_native_id(), clock)
        self.longest_ms = max(self.longest_ms, used, clock - own - max(waits.values(), default=0.0))
        self.beats += 1
