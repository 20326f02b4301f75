"""A folder of results: written in full beside itself, moved into place, and marked as whole last.

The mark (``complete.json``, see ``docs/findings-json.md``) lists every file with its SHA-256. It
goes before anything else of earlier results does and comes after everything new, so that a folder
without it is known to be a part.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from inference import __version__, atomic
from inference.errors import BadInputError, NotWrittenError

__all__ = ["MARK", "replaced", "require_whole"]

MARK: Final = "complete.json"

_FORMAT: Final = "secondread-results"
_VERSION: Final = 1
_PLAIN: Final = ("findings.json", "lesions.csv", "labels.nii.gz", "seg.dcm", "window.png")
_SLICES, _ARCHIVE = "slices", "archive"
_PICTURES: Final = "*_[0-9][0-9][0-9].png"


@contextmanager
def replaced(out: Path) -> Iterator[Path]:
    """Give an empty folder for the block to fill with results, which then replace those in `out`.

    Parameters
    ----------
    out
        Folder of the results; made if need be. What is none of ours in it stays.

    Raises
    ------
    NotWrittenError
        When something cannot be written. What was in `out` stays, and so it does when the block
        ends otherwise; only where moving fails is `out` left with a part, without its mark.
    """
    made = not out.exists()
    _make(out)
    try:
        with atomic.part_folder(out) as part:
            new = part / "new"
            new.mkdir()
            try:
                yield new
                _mark(new)
            except (NotWrittenError, OSError) as error:
                # Some sentences are of a file, others the system's.
                raise NotWrittenError(
                    f"Nothing was written to {out}, and what was there before is as it was: "
                    f"{_reason(error)}"
                ) from error
            _move(new, part / "old", out)
    except OSError as error:
        raise _unwritable(out, error) from error
    finally:
        if made:
            with suppress(OSError):
                out.rmdir()


def require_whole(out: Path, part: str) -> None:
    """Refuse results of which writing was stopped, or of which a part was changed since.

    Parameters
    ----------
    out
        Folder of the results.
    part
        Folder in it that is going to be read.

    Raises
    ------
    BadInputError
        When the mark is not there, or what it says of the part does not hold.
    """
    try:
        said = json.loads((out / MARK).read_text("utf-8"))
        files = {each["path"]: each["sha256"] for each in said["files"]}
        known = said["format"] == _FORMAT and said["version"] <= _VERSION
    except FileNotFoundError:
        raise BadInputError(
            f"The results in {out} are not known to be whole, since {MARK} is not there: writing "
            "them was stopped, or an earlier version of SecondRead wrote them; analyse the study "
            "again."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        known, files = False, {}
    try:
        there = {path: _digest(out / path) for path in files if Path(path).parts[0] == part}
    except (OSError, IndexError):
        known = False
    if not known or any(files[path] != digest for path, digest in there.items()):
        raise BadInputError(
            f"The results in {out} are not those that were written: they differ from what {MARK} "
            "says of them; analyse the study again."
        )


def _mark(folder: Path) -> None:
    """Write the mark of everything in a folder, which gets the modes of exported files."""
    files: list[dict[str, Any]] = []
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            path.chmod(_folder_mode())
            continue
        path.chmod(atomic.export_mode())
        name = path.relative_to(folder).as_posix()
        files.append({"path": name, "bytes": path.stat().st_size, "sha256": _digest(path)})
    content = {
        "format": _FORMAT,
        "version": _VERSION,
        "software": f"SecondRead {__version__}",
        "files": files,
    }
    text = json.dumps(content, indent=1) + "\n"
    atomic.replace_text(folder / MARK, text, mode=atomic.export_mode())


def _move(new: Path, old: Path, out: Path) -> None:
    """Let new results take the place of earlier ones, so that none is taken for one of these."""
    (out / MARK).unlink(missing_ok=True)
    for name in _PLAIN:
        (out / name).unlink(missing_ok=True)
    for picture in (out / _SLICES).glob(_PICTURES):
        picture.unlink()
    if (out / _ARCHIVE).is_dir():
        (out / _ARCHIVE).rename(old)
    for path in sorted(new.rglob("*")):
        if path.is_file() and path != new / MARK:
            to = out / path.relative_to(new)
            if not to.parent.is_dir():
                to.parent.mkdir()
                shutil.copymode(path.parent, to.parent)
            path.replace(to)
    (new / MARK).replace(out / MARK)


def _make(out: Path) -> None:
    try:
        if not out.is_dir():
            out.mkdir(parents=True)
            out.chmod(_folder_mode())
    except OSError as error:
        raise _unwritable(out, error) from error


def _folder_mode() -> int:
    """Who may read the files of a folder may enter it."""
    mode = atomic.export_mode()
    return mode | (mode & 0o444) >> 2


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.strerror or type(error).__name__}; choose another folder with --out."
    return str(error)


def _unwritable(out: Path, error: OSError) -> NotWrittenError:
    reason = error.strerror or str(error) or type(error).__name__
    return NotWrittenError(
        f"The folder {out} cannot be written ({reason}); choose another with --out."
    )
