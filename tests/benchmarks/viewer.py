"""The viewer in one table: start, first image, full load, frames, memory, each beside a reference.

Run as ``python -m tests.benchmarks.viewer [--quick]`` on a screen (or under Xvfb). Everything is
measured in this one run, in turns with its reference, since machines are noisy: what counts is the
ratio. The parts can be run alone, with more settings: `tests.benchmarks.start`, `loading` and
`frames`; `scanning` and `volume3d` have no reference and are not in the table.
"""

from __future__ import annotations

import argparse
import math
import statistics
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from tests.benchmarks import frames, loading, start

SLICES = 300


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table.

    Parameters
    ----------
    what
        In words.
    ours, theirs
        Of SecondRead and of the reference; NaN where there is none.
    unit
        Of both.
    reference
        What the reference is.
    """

    what: str
    ours: float
    theirs: float
    unit: str
    reference: str

    def cells(self) -> tuple[str, str, str, str]:
        """For the table."""
        digits = 0 if self.ours >= 100 else 2 if self.ours < 10 else 1
        known = math.isfinite(self.theirs)
        return (
            self.what,
            f"{self.ours:.{digits}f} {self.unit}",
            f"{self.theirs:.{digits}f} {self.unit} ({self.reference})" if known else "",
            f"{self.ours / self.theirs:.2f}" if known else "",
        )


def _start(times: int) -> list[Line]:
    bare, program = start.measure(times)
    return [
        Line(
            "start, until the window takes a key",
            statistics.median(program),
            statistics.median(bare),
            "s",
            "import PySide6.QtWidgets",
        )
    ]


def _loading(rounds: int) -> list[Line]:
    rows = {row.way: row for row in loading.measure(SLICES, rounds=rounds)}
    ours, itk, plain = rows["ours"], rows["simpleitk"], rows["pydicom"]
    what = f"{SLICES} × 512², "
    return [
        Line(f"{what}first image", ours.first, itk.first, "s", "SimpleITK, all"),
        Line(f"{what}all", ours.whole, itk.whole, "s", "SimpleITK"),
        Line(f"{what}all", ours.whole, plain.whole, "s", "pydicom"),
        Line(f"{what}peak memory", ours.peak, itk.peak, "MB", "SimpleITK"),
    ]


def _frames(count: int) -> list[Line]:
    return [
        Line(f"frame with 3 masks: {row.what}", row.ours, row.reference, "ms", "pyqtgraph")
        for row in frames.measure(count)
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="one round of each")
    quick = parser.parse_args().quick
    lines = [
        *_start(1 if quick else 5),
        *_loading(1 if quick else 5),
        *_frames(30 if quick else 60),
    ]
    made = Table("what", "SecondRead", "reference", "ours ÷ reference")
    for line in lines:
        made.add_row(*line.cells())
    Console(width=150).print(made)


if __name__ == "__main__":
    main()
