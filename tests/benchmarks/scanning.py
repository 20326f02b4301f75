"""How long opening a folder takes before any pixel is read: cold, warm, and on a slow disk.

Run as ``python -m tests.benchmarks.scanning [FILES]``. It makes series of 200 small CT slices (by
default ten, of 2000 files) in a temporary folder, with an index of its own. Cold has no index (but
the files in the system's memory), warm has one; the slow disk waits 10 ms before each file, as a
network drive does. One run each, so that tens of per cent are chance.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from rich.console import Console
from rich.table import Table

from inference.studies import Found, dicom_header, dicom_read, index, scan

A_SERIES = 200
SIDE = 128
WAIT_SECONDS = 0.01


def write(folder: Path, files: int) -> None:
    """Write series of `A_SERIES` slices each into folders of their own, dated an hour ago."""
    rng = np.random.default_rng(0)
    for number in range(-(-files // A_SERIES)):
        place = folder / f"{number:03d}"
        place.mkdir(parents=True)
        series = generate_uid(entropy_srcs=["scanning", str(number)])
        for i in range(min(A_SERIES, files - number * A_SERIES)):
            meta = FileMetaDataset()
            meta.TransferSyntaxUID = ExplicitVRLittleEndian
            meta.MediaStorageSOPClassUID = CTImageStorage
            meta.MediaStorageSOPInstanceUID = f"{series}.{i}"[:64]
            ds = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
            ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
            ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3", series
            ds.PatientID, ds.Modality, ds.SeriesNumber = "P", "CT", number
            ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, i], [1, 0, 0, 0, 1, 0]
            ds.PixelSpacing, ds.RescaleSlope, ds.RescaleIntercept = [1, 1], 1, -1024
            ds.WindowCenter, ds.WindowWidth = [-600, 40], [1500, 400]
            ds.Rows = ds.Columns = SIDE
            ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
            ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
            ds.PixelData = rng.integers(0, 2000, (SIDE, SIDE)).astype(np.uint16).tobytes()
            path = place / f"{i:04d}.dcm"
            pydicom.dcmwrite(path, ds, enforce_file_format=True)
            os.utime(path, (time.time() - 3600,) * 2)


@contextmanager
def slow_disk() -> Iterator[None]:
    """Wait before each file that is read."""
    read = dicom_header.read_header

    def wait(path: Path) -> dicom_header.Header:
        time.sleep(WAIT_SECONDS)
        return read(path)

    with mock.patch.object(dicom_header, "read_header", wait):
        yield


def timed(folder: Path) -> tuple[float, float]:
    """Return the seconds until the first series was known, and until all were."""
    first: list[float] = []
    start = time.perf_counter()

    def hear(_found: Found) -> None:
        first.append(time.perf_counter() - start)

    scan(folder, found=hear)
    return first[0], time.perf_counter() - start


def main() -> int:
    """Print the table."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    table = Table("", "first series, s", "all, s", title=f"{files} files")

    def row(name: str, folder: Path) -> None:
        first, whole = timed(folder)
        table.add_row(name, f"{first:.2f}", f"{whole:.2f}")

    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_CACHE_HOME"] = str(Path(home, "cache"))
        folder = Path(home, "files")
        write(folder, files)
        row("cold", folder)
        row("warm", folder)
        bytes_kept = index.size().bytes
        index.clear()
        with mock.patch.object(dicom_read, "_WAITING", -1.0):
            row("cold, eight at a time", folder)
        index.clear()
        with slow_disk():
            row("slow disk, cold", folder)
            row("slow disk, warm", folder)
            index.clear()
            with mock.patch.object(dicom_read, "_WAITING", 1e9):
                row("slow disk, cold, one at a time", folder)
    console = Console()
    console.print(table)
    console.print(f"The index takes {bytes_kept / files:.0f} bytes a file.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
