"""The process that renders: it owns VTK and the OpenGL context, and answers one message at a time.

A process, not a thread: a driver that crashes, or a machine without OpenGL, where VTK may end its
process, ends the 3D pane and not the reading; macOS gives windows to a program's main thread alone,
which here is VTK's own; and all the memory of 3D, the driver's included, is free when the pane is
closed.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from inference.faults import record
from viewer.volume3d.wire import (
    Failed,
    Frame,
    GivenUp,
    Hello,
    Look,
    Pick,
    Picked,
    SetSurfaces,
    SetVolume,
    SurfacesReady,
    put,
    take,
)

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from viewer.volume3d.stage import Stage

__all__ = ["NO_MEMORY", "NO_OPENGL", "NO_VTK", "serve"]

NO_VTK = "3D needs VTK, which cannot be loaded here; install SecondRead again (pip install vtk)."
NO_OPENGL = "3D needs OpenGL 3.2, which neither this screen nor its driver offers."
NO_MEMORY = "3D stopped: there is not enough memory; close other programs."

_NICER = 5
"""Lower priority than the window's, where the system knows such a thing."""


def serve(pipe: Connection, may_use_gpu: bool) -> None:
    """Answer messages until the other end closes; the first answer is `Hello` or `Failed`."""
    # Ctrl+C in a terminal goes to both; the window decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(_NICER)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        stage = _stage(pipe, may_use_gpu)
        if stage is not None:
            put(pipe, Hello(stage.gpu, stage.renderer))
            try:
                _answer(pipe, stage)
            except MemoryError:
                put(pipe, Failed(NO_MEMORY))
            except (EOFError, OSError):
                raise
            except Exception as error:  # noqa: BLE001 - the last frame: told, never lost
                put(pipe, Failed(record(error, "3D")))


def _stage(pipe: Connection, may_use_gpu: bool) -> Stage | None:
    try:
        from viewer.volume3d.stage import NoOpenGLError, Stage
    except ImportError:
        put(pipe, Failed(NO_VTK))
        return None
    try:
        return Stage(may_use_gpu, pipe.poll)
    except NoOpenGLError:
        put(pipe, Failed(NO_OPENGL))
        return None


def _answer(pipe: Connection, stage: Stage) -> None:
    volume = surfaces = 0
    while True:
        message = take(pipe)
        match message:
            case SetVolume():
                volume = message.token
                stage.set_volume(message.prepared)
            case SetSurfaces():
                surfaces = message.token
                stage.set_surfaces(message.shells)
                put(pipe, SurfacesReady(surfaces, tuple(s.name for s in message.shells)))
            case Pick():
                put(pipe, Picked(stage.pick(message.look, message.x, message.y)))
            case Look():
                made = stage.render(message)
                if made is None:
                    put(pipe, GivenUp(message.serial))
                else:
                    put(pipe, Frame(message.serial, *made, volume, surfaces))
        # What was received last, a volume perhaps, is not held while waiting.
        del message
