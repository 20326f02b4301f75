"""A DICOM header as bytes, for the index; nothing that could run, as a pickle could."""

from __future__ import annotations

import json
import zlib
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from inference.studies.dicom_frame import Frame
from inference.studies.dicom_header import Header
from inference.studies.model import VoiFunction, Window

__all__ = ["FIELDS", "decode", "encode"]

_HEADER: Final = tuple(field.name for field in fields(Header) if field.name != "frames")
_FRAME: Final = tuple(field.name for field in fields(Frame) if field.name != "path")
_VECTORS: Final = ("position", "orientation", "spacing", "padding")

FIELDS: Final = " ".join((*_HEADER, *_FRAME))
"""What is kept, in order: another version of the program may keep something else."""


def encode(header: Header) -> bytes:
    """Return a header without the path of its file."""
    frames = []
    for frame in header.frames:
        values = {name: getattr(frame, name) for name in _FRAME}
        values["windows"] = [(w.centre, w.width, w.name, w.function.value) for w in frame.windows]
        frames.append([values[name] for name in _FRAME])
    kept = [[getattr(header, name) for name in _HEADER], frames]
    return zlib.compress(json.dumps(kept, separators=(",", ":")).encode(), 1)


def decode(data: bytes, path: Path) -> Header:
    """Return the header of the file at a path.

    Raises
    ------
    ValueError
        When the bytes are none of `encode`.
    """
    try:
        header, frames = json.loads(zlib.decompress(data))
        return Header(
            **dict(zip(_HEADER, header, strict=True)),
            frames=tuple(_frame(values, path) for values in frames),
        )
    except (zlib.error, TypeError, KeyError, ValueError) as error:
        raise ValueError("these bytes are no header") from error


def _window(centre: float, width: float, name: str, function: str) -> Window:
    return Window(centre, width, name, VoiFunction(function))


def _frame(kept: list[Any], path: Path) -> Frame:
    values = dict(zip(_FRAME, kept, strict=True))
    for name in _VECTORS:
        values[name] = None if values[name] is None else tuple(values[name])
    values["windows"] = tuple(_window(*window) for window in values["windows"])
    return Frame(path=path, **values)
