"""How an exported file comes to its place: whole, read back, for its owner; or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inference import atomic
from inference.errors import NotWrittenError, SecondReadError

__all__ = ["place_for", "write_bytes", "write_text"]


def write_bytes(path: Path, data: bytes) -> None:
    """Write an exported file in one step, and read it back.

    Raises
    ------
    NotWrittenError
        When it cannot be written, or does not read back; what was there stays.
    """
    with _told(path):
        atomic.replace_bytes(path, data, mode=atomic.export_mode())


def write_text(path: Path, text: str, encoding: str = "utf-8") -> None:
    """Write an exported text with its ends of lines as they are; see `write_bytes`."""
    write_bytes(path, text.encode(encoding))


@contextmanager
def place_for(path: Path, suffix: str) -> Iterator[Path]:
    """Give a file for the block to write and to read back, which then takes its place.

    Parameters
    ----------
    path
        The place.
    suffix
        How the file is named at its end, for writers that go by it.

    Raises
    ------
    NotWrittenError
        When it cannot be written; what was there stays.
    """
    with _told(path), atomic.beside(path, suffix=suffix, mode=atomic.export_mode()) as part:
        yield part


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except SecondReadError:
        raise
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        earlier = "; the earlier file is as it was" if path.is_file() else ""
        raise NotWrittenError(
            f"{path.name} could not be written ({reason}){earlier}; choose another folder, or free "
            "some space in this one."
        ) from error
