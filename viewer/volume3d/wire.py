"""What the window and the rendering process tell each other: plain data, no VTK, no Qt."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from viewer.volume3d.camera import Camera
from viewer.volume3d.grid import Prepared
from viewer.volume3d.presets import Preset

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = [
    "Box",
    "Failed", "Frame", "GivenUp", "Hello", "Hurry", "Look", "Pick", "Picked", "SetSurfaces",
    "SetVolume", "Shell", "Style", "SurfacesReady", "put", "take",
]  # fmt: skip


Point = tuple[float, float, float]
Box = tuple[Point, Point]
"""Lowest and highest corner, LPS mm."""


@dataclass(frozen=True, eq=False, slots=True)
class Shell:
    """A mask whose surface is to be drawn, cut out of its volume.

    Parameters
    ----------
    name
        Key of its style in `Look.styles`.
    array
        Shape (slices, rows, columns), uint8: 255 inside; its outermost voxels are 0.
    affine
        Shape (4, 4): (column, row, slice, 1) -> LPS mm.
    """

    name: str
    array: NDArray[np.uint8]
    affine: NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class SetVolume:
    """Draw this volume from now on; None: draw none."""

    token: int
    prepared: Prepared | None


@dataclass(frozen=True, eq=False, slots=True)
class SetSurfaces:
    """Draw the surfaces of these masks from now on."""

    token: int
    shells: tuple[Shell, ...]


@dataclass(frozen=True, slots=True)
class Style:
    """How a surface is drawn: colour in [0, 1], opacity in (0, 1]."""

    colour: tuple[float, float, float]
    opacity: float


@dataclass(frozen=True, slots=True)
class Look:
    """Ask for a picture.

    Parameters
    ----------
    serial
        Comes back with the picture.
    camera
        From where.
    size
        (width, height) of the pane in device pixels.
    resting
        True: in full, however long it takes, until the next message comes. False: as many pixels
        as can be drawn while something is moving.
    preset
        Transfer function; None draws the surfaces alone.
    styles
        Surfaces that are visible, by name.
    box
        Lowest and highest LPS mm of the volume that is drawn, or None for all of it.
    """

    serial: int
    camera: Camera
    size: tuple[int, int]
    resting: bool
    preset: Preset | None
    styles: dict[str, Style] = field(default_factory=dict)
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Pick:
    """Ask what is seen at a place of the pane.

    Parameters
    ----------
    look
        How the pane looks.
    x, y
        Share of width and height, from the top left.
    """

    look: Look
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Hurry:
    """Give up a picture at rest, something else is to be done; means nothing by itself."""


@dataclass(frozen=True, slots=True)
class Hello:
    """The process is ready; `renderer` is OpenGL's name for what draws."""

    gpu: bool
    renderer: str


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """A picture of shape (height, width, 3), uint8, top row first."""

    serial: int
    pixels: NDArray[np.uint8]
    seconds: float
    volume: int
    surfaces: int


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The picture was not finished since something else was asked for."""

    serial: int


@dataclass(frozen=True, slots=True)
class SurfacesReady:
    """The surfaces of these names can be drawn."""

    token: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picked:
    """LPS mm of what was seen, or None when there was nothing."""

    point: Point | None


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing can be drawn, for a reason that is a sentence."""

    sentence: str


def put(pipe: Connection, message: object) -> None:
    """Send a message; its arrays go as they are (pickle protocol 5, out of band).

    Pickled with the rest they would be copied, and a volume would stop the whole window for it.
    """
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
    views = [buffer.raw() for buffer in buffers]
    pipe.send((head, [view.nbytes for view in views]))
    for view in views:
        pipe.send_bytes(view)


def take(pipe: Connection) -> Any:
    """Receive what was `put`.

    Raises
    ------
    EOFError
        When the other end is gone.
    """
    head, sizes = pipe.recv()
    buffers = [bytearray(size) for size in sizes]
    for buffer in buffers:
        pipe.recv_bytes_into(buffer)
    return pickle.loads(head, buffers=buffers)  # noqa: S301 - our own process wrote it
