"""How soon after Analyse the slice on the screen has its masks, beside the whole analysis.

Run as ``python -m tests.benchmarks.first_result [--study PATH] [--slice N] [--device cpu]
[--cold]``. Without a path it takes the sample study. The slice is the middle one, unless it is
named. With ``--cold``, Analyse is pressed before the models have been loaded: importing torch and
reading weights then count. Times are of one run on this machine, wall clock; the processors'
seconds stand beside them, since other programs lengthen the one and not the other.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from inference.commands.reading import open_series
from inference.errors import SecondReadError
from inference.partial import Partial
from inference.progress import Progress
from inference.systems.base import Context


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--study", type=Path)
    parser.add_argument("--series")
    parser.add_argument("--slice", type=int, help="from 1; default the middle one")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--streams", default="default")
    parser.add_argument("--cold", action="store_true")
    asked = parser.parse_args()
    if asked.study is None:
        from inference import sample

        asked.study = sample.ensure(Progress())
    opened = open_series(asked.study, asked.series, None, Progress())
    volume = opened.volume
    focus = volume.shape[0] // 2 if asked.slice is None else asked.slice - 1
    arrivals: list[tuple[str, float, float, int]] = []

    def note(what: str, slices: int) -> None:
        arrivals.append((what, time.perf_counter() - start, time.process_time() - busy, slices))

    def arrived(partial: Partial) -> None:
        if focus in partial.indices:
            note(f"masks of slice {focus + 1}, on the screen", len(partial.indices))

    context = Context(
        device=asked.device, streams=asked.streams, focus=focus, partial=arrived,
        read_seconds=opened.seconds,
    )  # fmt: skip
    if asked.cold:
        start, busy = time.perf_counter(), time.process_time()
    from inference.systems import get_system

    system = get_system()
    if not asked.cold:
        system.get_ready(volume, context)
        start, busy = time.perf_counter(), time.process_time()
    findings = system.analyse(volume, context)
    note("findings", int(np.count_nonzero(findings.analysed)))

    table = Table("after Analyse", "wall s", "processor s", "slices", title=findings.device)
    for what, wall, processor, slices in arrivals:
        table.add_row(what, f"{wall:.2f}", f"{processor:.2f}", str(slices))
    console = Console()
    console.print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    console.print(
        f"{volume.shape[0]} slices of {volume.shape[1]} × {volume.shape[2]}, "
        f"{'cold' if asked.cold else 'models loaded'}; "
        f"parts: {', '.join(f'{k} {v:.2f}' for k, v in findings.timings.parts().items())}; "
        f"peak memory {peak:.2f} GB; load of the machine {os.getloadavg()[0]:.1f}"
    )
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SecondReadError as error:
        sys.exit(str(error))
