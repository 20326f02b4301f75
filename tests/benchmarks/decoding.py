"""For how long other threads stand still while a large compressed radiograph is decoded.

Run as ``python -m tests.benchmarks.decoding``. The same file, decoded in this process, as on the
command line, and in another one, as by the window; the first time there a process has to come.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless
from rich.console import Console
from rich.table import Table

from inference.studies import load, scan
from inference.studies.elsewhere import working_elsewhere
from inference.studies.model import Series
from tests.unit.studies.conftest import dataset

ROWS, COLUMNS = 2500, 2000
ROUNDS = 5
_BEAT_SECONDS = 0.0005


def radiograph(folder: Path, syntax: str) -> Series:
    """Write one and scan it."""
    y, x = np.mgrid[:ROWS, :COLUMNS]
    grey = 2000 + 800 * np.sin(x / 200) + 500 * np.cos(y / 150)
    grey += np.random.default_rng(0).normal(0, 20, grey.shape)
    # Signed values go to the decoders that keep the interpreter, JPEG 2000 too.
    ds = dataset(grey.astype(np.int16), Modality="DX", RescaleIntercept=0)
    ds.compress(syntax, generate_instance_uid=False)
    folder.mkdir()
    ds.save_as(folder / "a.dcm", enforce_file_format=True)
    return scan(folder)[0].series[0]


def decode(series: Series) -> tuple[float, float]:
    """Return the seconds that it took, and the longest that another thread stood still."""
    longest, end = 0.0, threading.Event()

    def beat() -> None:
        nonlocal longest
        last = time.perf_counter()
        while not end.wait(_BEAT_SECONDS):
            now = time.perf_counter()
            longest, last = max(longest, now - last), now

    thread = threading.Thread(target=beat)
    thread.start()
    start = time.perf_counter()
    load(series)
    seconds = time.perf_counter() - start
    end.set()
    thread.join()
    return seconds, longest


def main() -> int:
    """Print the table."""
    table = Table("decoded", "where", "s, first", "s, then", "held up, ms", "ratio")
    with tempfile.TemporaryDirectory() as folder:
        for name, syntax in (("JPEG-LS", JPEGLSLossless), ("JPEG 2000", JPEG2000Lossless)):
            series = radiograph(Path(folder) / name, syntax)
            here = 0.0
            for where in ("this process", "another process"):
                with ExitStack() as stack:
                    if where == "another process":
                        stack.enter_context(working_elsewhere())
                    took = [decode(series) for _ in range(ROUNDS)]
                held_up = statistics.median(longest for _, longest in took)
                here = here or held_up
                table.add_row(
                    f"{name}, {COLUMNS} × {ROWS}", where, f"{took[0][0]:.2f}",
                    f"{statistics.median(s for s, _ in took[1:]):.2f}", f"{1000 * held_up:.0f}",
                    f"{held_up / here:.2f} ×",
                )  # fmt: skip
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
