"""The inputs: number N of a kind and a seed is always the same files, whatever ran before."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

from tests.fuzz.odd import damage

__all__ = ["KINDS", "Case", "Made", "Name", "keep", "make", "read", "write"]

KINDS: Final = {
    "dicom": 6, "dicomdir": 1, "zip": 2, "nifti": 2, "nrrd": 2, "meta": 2, "png": 1, "jpeg": 1,
}  # fmt: skip
"""Kinds, and how often each comes up."""

_OPENED: Final = "opened.txt"
"""Beside kept files: the name of the one that is opened."""


@dataclass(slots=True)
class Case:
    """Files by name, and which of them is opened; "" is their folder."""

    files: dict[str, bytes]
    opened: str


@dataclass(frozen=True, slots=True)
class Name:
    """What an input is called by; ``7:dicom:12`` as text."""

    seed: int
    kind: str
    number: int

    def __str__(self) -> str:
        return f"{self.seed}:{self.kind}:{self.number}"


@dataclass(frozen=True, slots=True)
class Made:
    """An input, and what was done to it, change by change."""

    case: Case
    done: tuple[str, ...]


class _Model(Protocol):
    """A sound input that can be changed before it is written."""

    def finish(self) -> Case: ...


class _Format(Protocol):
    """What a module of a format has."""

    CHANGES: tuple[Callable[[random.Random, Any], str], ...]

    def begin(self, rng: random.Random) -> _Model: ...


_MODULES: Final = {
    "dicom": "dicom", "dicomdir": "dicomdir", "zip": "archives", "nifti": "nifti",
    "nrrd": "lines", "meta": "lines", "png": "pictures", "jpeg": "pictures",
}  # fmt: skip


def make(name: Name, kept: Collection[int] | None = None) -> Made:
    """Make an input.

    Parameters
    ----------
    name
        Which.
    kept
        Which of its changes are made, by number; None: all.
    """
    rng = random.Random(str(name))  # noqa: S311
    module: Any = import_module(f"tests.fuzz.{_MODULES[name.kind]}")
    changes = getattr(module, f"{name.kind.upper()}_CHANGES", None) or module.CHANGES
    begin = getattr(module, f"begin_{name.kind}", None) or module.begin
    model = begin(rng)
    # Few changes: a file that is wrong everywhere is refused by its first mistake.
    count = rng.choice((0, 1, 1, 1, 1, 2, 2, 2, 3, 4, 8))
    planned: list[Callable[[random.Random, Any], str] | None] = [
        rng.choice(changes) for _ in range(count)
    ]
    if count == 0 or rng.random() < 0.15:
        planned += [None] * rng.choice((1, 1, 2, 4))
    done = []
    case: Case | None = None
    for number, change in enumerate(planned):
        own = random.Random(f"{name}:{number}")  # noqa: S311
        if change is None and case is None:
            case = model.finish()
        if kept is not None and number not in kept:
            done.append("left undone")
        elif change is not None:
            done.append(f"{change.__name__.strip('_')}: {change(own, model)}")
        elif case is not None:
            file = own.choice(sorted(case.files))
            case.files[file], what = damage(own, case.files[file])
            done.append(f"{file}: {what}")
    return Made(case or model.finish(), tuple(done))


def write(case: Case, folder: Path) -> Path:
    """Write the files into an empty folder, and return what is to be opened."""
    for name, data in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder / case.opened if case.opened else folder


def keep(case: Case, folder: Path) -> None:
    """Write an input so that `read` gives it back, in place of what was kept there."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "files").mkdir(parents=True)
    write(case, folder / "files")
    (folder / _OPENED).write_text(case.opened, encoding="utf-8")


def read(folder: Path) -> Case:
    """Read an input that was kept."""
    root = folder / "files"
    files = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
    return Case(files, (folder / _OPENED).read_text(encoding="utf-8"))
