"""Are all bytes of a volume file there? ITK puts zeros for what is missing, or prints about it."""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path
from typing import Final

from inference.studies.find import UnreadableError
from inference.studies.limits import MAX_DEFLATE_RATIO

__all__ = ["check_gzip", "check_meta_header", "check_size"]

_HEAD: Final = 1 << 16
_CHUNK: Final = 1 << 20
_META: Final = (".mha", ".mhd")
_LOCAL: Final = "LOCAL"


def check_size(path: Path, offset: int, needed: int) -> None:
    """Compare the file's size with what its header promises, before memory is taken.

    Parameters
    ----------
    path
        The volume file.
    offset
        Where the voxels start in an uncompressed NIfTI file.
    needed
        Bytes of all voxels when uncompressed.

    Raises
    ------
    UnreadableError
        When the file cannot hold its voxels, or keeps them in several files.
    """
    name = path.name.lower()
    size = path.stat().st_size
    if name.endswith(_META):
        _check_meta(path, size, needed)
    elif name.endswith(".nii") and size < offset + needed:
        raise _cut_off(path, offset + needed, size)
    elif not name.endswith(".nhdr") and needed > size * MAX_DEFLATE_RATIO:
        raise _cut_off(path, needed, size)


def check_gzip(path: Path, needed: int) -> None:
    """Unpack a compressed NIfTI file, keeping nothing, to check its length and its checksum.

    Raises
    ------
    UnreadableError
        When it is damaged, or ends early.
    """
    size = 0
    try:
        with gzip.open(path) as stream:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableError(
            f"“{path.name}” is damaged or cut off; copy the file again."
        ) from error
    if size < needed:
        raise _cut_off(path, needed, size)


def check_meta_header(path: Path) -> None:
    """Refuse a MetaImage without the end of its header, of which ITK would print.

    Raises
    ------
    UnreadableError
        When the header has no end.
    """
    if path.name.lower().endswith(_META):
        _meta_header(path)


def _meta_header(path: Path) -> tuple[bytes, int, str]:
    """Return the text header, where it ends and where the voxels are."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    match = re.search(rb"^ElementDataFile[ \t]*=[ \t]*([^\r\n]+)\r?\n?", head, re.MULTILINE)
    if match is None:
        raise UnreadableError(f"“{path.name}” is damaged or no MetaImage; copy the file again.")
    return head[: match.end()], match.end(), match[1].decode("utf-8", "replace").strip()


def _check_meta(path: Path, size: int, needed: int) -> None:
    head, end, source = _meta_header(path)
    compressed = re.search(rb"^CompressedDataSize\s*=\s*(\d+)", head, re.MULTILINE)
    if compressed is not None:
        if needed > int(compressed[1]) * MAX_DEFLATE_RATIO:
            raise _cut_off(path, needed, int(compressed[1]))
        needed = int(compressed[1])
    elif re.search(rb"^CompressedData\s*=\s*True", head, re.MULTILINE):
        # How long the compressed voxels are is not said.
        needed = 0
    if source == _LOCAL:
        if size - end < needed:
            raise _cut_off(path, needed, size - end)
        return
    data = path.parent / source
    several = "%" in source or source.startswith("LIST")
    if several or not data.resolve().is_relative_to(path.parent.resolve()):
        raise UnreadableError(f"“{path.name}” keeps its voxels in other places; save it as .mha.")
    if not data.is_file():
        raise UnreadableError(
            f"“{data.name}”, which holds the voxels of “{path.name}”, is missing."
        )
    if data.stat().st_size < needed:
        raise _cut_off(data, needed, data.stat().st_size)


def _cut_off(path: Path, needed: int, size: int) -> UnreadableError:
    return UnreadableError(
        f"“{path.name}” is cut off: its voxels take {needed} bytes and it has {size}; copy the "
        "file again."
    )
