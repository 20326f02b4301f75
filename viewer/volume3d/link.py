"""The window's end of the rendering process: a thread that starts it, feeds it and hears it.

Nothing here waits on the window's thread. Of pictures asked for, the newest wins: one that is at
rest is given up when another is asked for, one that moves is short and is finished.
"""

from __future__ import annotations

import multiprocessing
import threading
from collections import deque
from contextlib import suppress
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from viewer.volume3d.process import NO_OPENGL, serve
from viewer.volume3d.wire import Failed, Frame, GivenUp, Hello, Hurry, Look, put, take

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

__all__ = ["DIED", "Link"]

DIED = "3D stopped: the graphics driver failed. Show the pane again to start it anew."

_END_SECONDS = 2.0


class Link(QObject):
    """Speaks with one rendering process, and with a second without the graphics card if it dies.

    Messages are queued and sent in order; `look` keeps the newest alone. Signals come on the thread
    that made the link.
    """

    heard = Signal(object)
    """An answer of the process, see `wire`."""

    def __init__(self, may_use_gpu: bool = True, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._may_use_gpu = may_use_gpu
        self._messages: deque[object] = deque()
        self._look: Look | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._process: SpawnProcess | None = None
        # Never forked: the window has threads, and a display connection, of its own.
        self._context = multiprocessing.get_context("spawn")
        self._woken, self._wake = self._context.Pipe(duplex=False)
        self._thread = threading.Thread(target=self._run, name="3D", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """There is someone to speak with, or there will be."""
        return self._thread.is_alive()

    def send(self, message: object) -> None:
        """Queue a message that must not be lost."""
        with self._lock:
            self._messages.append(message)
        self._ring()

    def look(self, look: Look) -> None:
        """Ask for a picture, instead of any that was asked for and not begun."""
        with self._lock:
            self._look = look
        self._ring()

    def close(self) -> None:
        """End process and thread; nothing is heard any more."""
        if self._closed:
            return
        self._closed = True
        # The thread may be writing a volume to a process that is busy.
        with self._lock:
            if self._process is not None:
                self._process.terminate()
        self._ring()
        self._thread.join()
        self._wake.close()
        self._woken.close()

    def _ring(self) -> None:
        with suppress(OSError):
            self._wake.send_bytes(b"!")

    # -- on the thread -----------------------------------------------------------------------

    def _run(self) -> None:
        said = self._converse(self._may_use_gpu)
        if isinstance(said, Hello) and said.gpu and not self._closed:
            # The card's driver let it down; the listener begins again with the processor.
            with self._lock:
                self._messages.clear()
                self._look = None
            said = self._converse(False)
        if not self._closed and not isinstance(said, Failed):
            # Without OpenGL some systems end VTK's process instead of telling it.
            self._say(Failed(NO_OPENGL if said is None else DIED))

    def _converse(self, may_use_gpu: bool) -> Hello | Failed | None:
        """Speak with one process until it or the window ends; why it could not go on, if it knew.

        What it said first where it did not, or None when it said nothing at all.
        """
        here, there = self._context.Pipe()
        process = self._context.Process(
            target=serve, args=(there, may_use_gpu), name="SecondRead 3D", daemon=True
        )
        process.start()
        with self._lock:
            self._process = process
        there.close()
        first: Hello | Failed | None = None
        try:
            while first is None and not self._closed:
                if here in self._wait(here):
                    first = take(here)
                    self._say(first)
            if isinstance(first, Hello):
                return self._talk(here)
        except (EOFError, OSError):
            pass  # it died, which the caller sees
        finally:
            here.close()
            with self._lock:
                self._process = None
            process.terminate()
            process.join(_END_SECONDS)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
        return first

    def _say(self, answer: object) -> None:
        # A program that ends on a fault may have deleted this object already.
        with suppress(RuntimeError):
            self.heard.emit(answer)

    def _wait(self, here: Connection) -> list[object]:
        """Sleep until there is something to do; forget why it was woken."""
        ready: list[object] = list(wait([here, self._woken]))
        if self._woken in ready:
            while self._woken.poll():
                self._woken.recv_bytes()
        return ready

    def _talk(self, here: Connection) -> Failed | None:
        """Go on until the window closes, or until the process gives a reason to end."""
        asked: deque[Look] = deque()
        hurried = False
        # What was queued before the process was ready rang then.
        self._ring()
        while not self._closed:
            if here in self._wait(here):
                answer = take(here)
                if isinstance(answer, Frame | GivenUp):
                    look, hurried = asked.popleft(), False
                    if isinstance(answer, GivenUp):
                        self._again(look)
                if not isinstance(answer, GivenUp):
                    self._say(answer)
                if isinstance(answer, Failed):
                    return answer
                # A picture is not held while waiting.
                del answer
            # Long messages go out when no picture can come in, or both ends would wait to write.
            while not asked and (message := self._next()) is not None:
                put(here, message)
                del message
            if asked and asked[0].resting and not hurried and self._wanted():
                put(here, Hurry())
                hurried = True
            if not asked:
                with self._lock:
                    wanted, self._look = self._look, None
                if wanted is not None:
                    asked.append(wanted)
                    put(here, wanted)

        return None

    def _again(self, look: Look) -> None:
        """Ask for a picture that was given up for a message, unless a newer one is wanted."""
        with self._lock:
            self._look = self._look or look

    def _next(self) -> object | None:
        with self._lock:
            return self._messages.popleft() if self._messages else None

    def _wanted(self) -> bool:
        with self._lock:
            return bool(self._messages) or self._look is not None
