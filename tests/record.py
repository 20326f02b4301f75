"""Record what the shipped engine says of a small CT and of a small X-ray.

``python -m tests.record`` makes both pictures out of the sample study (nobody's), analyses them and
writes `DATA` anew; to be run when the models or the form of results change, which
``tests/e2e/test_recorded.py`` tells.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from inference.export import archive
from inference.findings import Findings
from inference.studies import Series, Study, Volume
from tests import factories

__all__ = ["DATA", "Recorded", "recorded"]

DATA = Path(__file__).parent / "data"
KINDS = ("ct", "xray")
SHRUNK = 4
"""In-plane, and along the body one slice of `EVERY`: a few hundred kilobytes in all."""
EVERY = 5


@dataclass(frozen=True, eq=False, slots=True)
class Recorded:
    """A study as the program opens it, and what its engine said of it."""

    study: Study
    series: Series
    volume: Volume
    findings: Findings


@cache
def recorded(kind: str) -> Recorded:
    """What is recorded of a kind, ``"ct"`` or ``"xray"``."""
    study, series, volume = factories.read_ct(DATA / f"{kind}.zip")
    return Recorded(study, series, volume, archive.load(DATA / kind, volume))


def _sample(folder: Path) -> Volume:
    from inference.sample import build

    return factories.read_ct(build(folder))[2]


def _small_ct(sample: Volume, folder: Path) -> Path:
    part = sample.array[4::EVERY, 32:480, 16:496].astype(np.float32)
    size = (part.shape[2] // SHRUNK, part.shape[1] // SHRUNK)
    small = np.stack([cv2.resize(s, size, interpolation=cv2.INTER_AREA) for s in part])
    slices, rows, columns = sample.spacing
    return factories.write_series(
        folder, 2 * np.rint(small / 2).astype(np.int32), slope=2, seed="recorded ct",
        spacing=(slices * EVERY, rows * SHRUNK, columns * SHRUNK),
        WindowCenter=[-600, 40], WindowWidth=[1500, 400],
    )  # fmt: skip


def _small_xray(sample: Volume, folder: Path) -> Path:
    """The sum of the CT from front to back, bones white."""
    body = np.clip(sample.array.astype(np.float32) + 1000, 0, 2000)
    shadow = body.mean(axis=1)[::-1]
    slices, _, columns = sample.spacing
    wide = shadow.shape[1] // 2
    picture = cv2.resize(shadow, (wide, round(shadow.shape[0] * slices / columns / 2)))
    picture = 4000 * (picture - picture.min()) / np.ptp(picture)
    return factories.write_series(
        folder, np.rint(picture)[np.newaxis].astype(np.int32), seed="recorded xray",
        modality="DX", spacing=(1.0, 2 * columns, 2 * columns), ViewPosition="PA",
    )  # fmt: skip


def _pack(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for path in sorted(folder.iterdir()):
            # No date: the same pictures are the same file.
            file.writestr(zipfile.ZipInfo(path.name), path.read_bytes(), zipfile.ZIP_DEFLATED, 9)


def main() -> None:
    """Make both pictures, analyse them and keep the results."""
    from inference.systems import Context, get_system

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sample = _sample(folder / "sample")
        shutil.rmtree(DATA, ignore_errors=True)
        DATA.mkdir()
        _pack(_small_ct(sample, folder / "ct"), DATA / "ct.zip")
        _pack(_small_xray(sample, folder / "xray"), DATA / "xray.zip")
    for kind in KINDS:
        _, _, volume = factories.read_ct(DATA / f"{kind}.zip")
        findings = get_system().analyse(volume, Context(device="cpu"))
        archive.save(findings, volume, DATA / kind)
    size = sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file())
    print(f"{size / 1000:.0f} kB in {DATA}")


if __name__ == "__main__":
    main()
