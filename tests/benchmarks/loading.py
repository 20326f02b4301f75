"""How soon a series is on the screen, and what that takes, beside SimpleITK and plain pydicom.

Run as ``python -m tests.benchmarks.loading [--slices 300] [--long 1000] [--rounds 3]
[--syntax native]``. It writes a series of 512 × 512 of its own into a temporary folder and reads it
by turns in each way, each time in a process of its own, so that peak memory is that of the way and
imports are paid by all. Times begin when the libraries have been imported. The first image is there
when its values are; drawing it takes some milliseconds more. Ratios are what counts: times are of
one machine, and the files come from its memory, not from its disk.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom import dcmwrite
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)
from rich.console import Console
from rich.table import Table

SIDE = 512
SYNTAXES = {
    "native": ExplicitVRLittleEndian,
    "jpeg2000": JPEG2000Lossless,
    "jpegls": JPEGLSLossless,
    "rle": RLELossless,
}


@dataclass(frozen=True, slots=True)
class Row:
    """What one way of reading a series took.

    Parameters
    ----------
    way
        Key of `WAYS`.
    slices
        Length of the series.
    first, whole
        Seconds to the first image and to the last, from the folder on.
    ratio
        `whole` divided by that of SimpleITK's series reader in the same run; NaN where that did not
        run.
    processor
        Seconds of all processors to the last image.
    peak
        Peak memory of the process in MB; NaN where the system does not tell.
    volumes
        What the series added to the process' memory at its peak, divided by the bytes of the
        series as int16.
    """

    way: str
    slices: int
    first: float
    whole: float
    ratio: float
    processor: float
    peak: float
    volumes: float


def write_series(
    folder: Path, slices: int, syntax: UID = ExplicitVRLittleEndian, root: str = "1.2"
) -> None:
    """Write a made-up CT: a body with two lungs and noise, one slice a file, shuffled.

    All UIDs begin with `root`.
    """
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 20, (SIDE, SIDE))
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] / SIDE - 0.5
    body = np.where((rows / 0.40) ** 2 + (columns / 0.46) ** 2 < 1, 40.0, -1000.0)
    for side in (-0.2, 0.2):
        body[(rows / 0.28) ** 2 + ((columns - side) / 0.14) ** 2 < 1] = -850.0
    for name, index in enumerate(rng.permutation(slices).tolist()):
        stored = np.clip(body + np.roll(noise, 7 * index, axis=1) + 1024, 0, 4095)
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = CTImageStorage
        meta.MediaStorageSOPInstanceUID = f"{root}.3.4.{index + 1}"
        ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = (
            root,
            f"{root}.3",
            f"{root}.4",
        )
        ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "CT", 2, index + 1
        ds.PatientName, ds.PatientID, ds.StudyDate = "Made^Up", "0", "20200101"
        ds.ImagePositionPatient = [-200.0, -200.0, 1.0 * index]
        ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        ds.PixelSpacing, ds.SliceThickness = [0.8, 0.8], 1.0
        ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, -1024, "HU"
        ds.WindowCenter, ds.WindowWidth = -600, 1500
        ds.Rows = ds.Columns = SIDE
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
        ds.PixelData = stored.astype("<u2").tobytes()
        ds["PixelData"].VR = "OW"
        if syntax != ExplicitVRLittleEndian:
            ds.compress(syntax, generate_instance_uid=False)
        dcmwrite(folder / f"{name:04}.dcm", ds, enforce_file_format=True)


def _ours(folder: Path) -> tuple[float, float]:
    from inference.studies import Watch, load, main_series, scan

    begun: list[float] = []

    def arrived(_index: int, _readable: bool) -> None:
        if not begun:
            begun.append(time.perf_counter())

    start = time.perf_counter()
    volume = load(main_series(scan(folder))[1], watch=Watch(arrived=arrived))
    end = time.perf_counter()
    if volume.array.dtype != np.int16:
        raise ValueError(f"the series came as {volume.array.dtype}")
    return begun[0] - start, end - start


def _simpleitk(folder: Path) -> tuple[float, float]:
    import SimpleITK

    start = time.perf_counter()
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    array = SimpleITK.GetArrayViewFromImage(image)
    whole = time.perf_counter() - start
    if array.min() > -900:
        raise ValueError("the series came without its rescale")
    return whole, whole


def _pydicom(folder: Path) -> tuple[float, float]:
    import pydicom

    start = time.perf_counter()
    datasets = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    datasets.sort(key=lambda ds: float(ds.ImagePositionPatient[2]))
    slices = [
        (ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept)).astype(np.int16)
        for ds in datasets
    ]
    array = np.stack(slices)
    whole = time.perf_counter() - start
    if array.min() > -900:
        raise ValueError("the series came without its rescale")
    return whole, whole


WAYS: dict[str, tuple[str, Callable[[Path], tuple[float, float]]]] = {
    "ours": ("SecondRead, scan and load", _ours),
    "simpleitk": ("SimpleITK.ImageSeriesReader", _simpleitk),
    "pydicom": ("pydicom: dcmread, pixel_array, stack", _pydicom),
}


def _megabytes() -> float:
    """Peak memory of this process; NaN where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def _once(way: str, folder: Path) -> None:
    """Read in this process and print what it took; a small series first, for the imports."""
    read = WAYS[way][1]
    read(folder.with_name("warm"))
    before, spent = _megabytes(), time.process_time()
    first, whole = read(folder)
    print(json.dumps([first, whole, time.process_time() - spent, before, _megabytes()]))


def measure(
    slices: int = 300,
    rounds: int = 3,
    syntax: str = "native",
    ways: tuple[str, ...] = tuple(WAYS),
) -> list[Row]:
    """Read a made-up series by turns in each way.

    Parameters
    ----------
    slices
        Length of the series.
    rounds
        Times are medians of so many.
    syntax
        Key of `SYNTAXES`.
    ways
        Keys of `WAYS`.

    Returns
    -------
    list of Row
        In the order of `ways`.
    """
    told: dict[str, list[list[float]]] = {way: [] for way in ways}
    with tempfile.TemporaryDirectory() as root:
        folder, warm = Path(root) / "series", Path(root) / "warm"
        for place, count in ((folder, slices), (warm, 4)):
            place.mkdir()
            write_series(place, count, SYNTAXES[syntax])
        for _ in range(rounds):
            for way in ways:
                command = [sys.executable, "-m", __spec__.name, "--once", way, str(folder)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                told[way].append(json.loads(done.stdout.splitlines()[-1]))
    size = slices * SIDE * SIDE * 2 / 2**20
    medians = {
        way: [statistics.median(column) for column in zip(*runs, strict=True)]
        for way, runs in told.items()
    }
    itk = medians["simpleitk"][1] if "simpleitk" in medians else float("nan")
    return [
        Row(way, slices, first, whole, whole / itk, spent, peak, (peak - before) / size)
        for way, (first, whole, spent, before, peak) in medians.items()
    ]


def table(rows: list[Row], title: str) -> Table:
    """Lay rows out."""
    made = Table(
        "way", "first image s", "all s", "× SimpleITK's time", "processor s", "peak MB",
        "× int16 volume", title=title,
    )  # fmt: skip
    for row in rows:
        ratio = "" if np.isnan(row.ratio) else f"{row.ratio:.2f}"
        made.add_row(
            WAYS[row.way][0], f"{row.first:.2f}", f"{row.whole:.2f}", ratio,
            f"{row.processor:.2f}", f"{row.peak:.0f}", f"{row.volumes:.2f}",
        )  # fmt: skip
    return made


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--long", type=int, default=1000, help="a long series; 0 for none")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--syntax", choices=SYNTAXES, default="native")
    parser.add_argument("--once", nargs=2, metavar=("WAY", "FOLDER"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.once is not None:
        _once(asked.once[0], Path(asked.once[1]))
        return 0
    console = Console() if Console().is_terminal else Console(width=120)
    rows = measure(asked.slices, asked.rounds, asked.syntax)
    what = f"of {SIDE} × {SIDE}, {asked.syntax}, median of"
    console.print(table(rows, f"{asked.slices} slices {what} {asked.rounds}"))
    if asked.long:
        rows = measure(asked.long, 1, asked.syntax, ("ours",))
        console.print(table(rows, f"{asked.long} slices {what} 1"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
