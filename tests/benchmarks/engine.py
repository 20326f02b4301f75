"""The paper's form of the analysis against the shipped path, measured in one run.

Run as ``python -m tests.benchmarks.engine [--study FOLDER] [--rounds N]``. Networks take turns,
slice by slice, so that whatever else the machine does falls on all of them; the ratios are what
counts. Where other programs share the processors, ratios of processor time say more than those of
the clock: PyTorch's threads wait for each other, a graph's do not. With a study, complete analyses
follow, from files to findings, each in a process of its own, whose peak memory is that process's.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from inference.backends.choice import probe_pictures
from inference.backends.eager import EagerRunner
from inference.engine import Engine
from inference.errors import SecondReadError
from inference.models import ModelRecord, ModelStore
from inference.networks.streams import XCEPTION65, SeparateStreams
from inference.progress import Progress

PAPER_SIZE = 512
STREAMS = ("ggo", "consolidation", "effusion")
BATCH = 8
STAGES = ("read", "pre", "recognise", "label", "segment", "post", "total")
COMPLETE = {
    "the paper's form with the shipped separate weights (PyTorch, float32, batch 1)": (
        "cpu", "float32", "separate", 1,
    ),
    "shipped path, CPU": ("cpu", "auto", "default", BATCH),
    "shipped path, GPU": ("cuda", "auto", "default", BATCH),
}  # fmt: skip


Once = Callable[[], tuple[float, float]]
"""Runs a form once; seconds a slice by the clock, and of the processors."""


def _timed(work: Callable[[], object], slices: int) -> Once:
    def once() -> tuple[float, float]:
        start, spent = time.perf_counter(), time.process_time()
        work()
        return (
            (time.perf_counter() - start) / slices, (time.process_time() - spent) / slices,
        )  # fmt: skip

    return once


def _with(engine: Engine, records: tuple[ModelRecord, ...], batch: int) -> Once:
    """All networks of a form."""
    pictures = {
        r.size: np.concatenate([probe_pictures(r.size)] * (BATCH // 2))[:batch] for r in records
    }

    def work() -> None:
        for record in records:
            for _ in engine.run(record, pictures[record.size], "Timing", Progress(), batch, []):
                pass

    return _timed(work, batch)


def _paper() -> Once:
    """The paper's own three networks, of random weights."""
    network = SeparateStreams(dict.fromkeys(STREAMS, 1), encoder=XCEPTION65).eval()
    runner = EagerRunner(network, torch.device("cpu"), None)
    picture: NDArray[np.uint8] = probe_pictures(PAPER_SIZE)[:1]
    return _timed(lambda: runner.run(picture), 1)


def segmentation(store: ModelStore, rounds: int) -> Table:
    """Time of stage 3 by form, the forms by turns."""
    eager, cpu = Engine(store, "cpu", "float32"), Engine(store, "cpu")
    separate, shared, default = map(store.streams, ("separate", "shared", "default"))
    forms: dict[str, Once] = {
        f"the paper's: 3 × Xception-65 at {PAPER_SIZE}², random weights, PyTorch float32, batch 1":
            _paper(),
        "separate, PyTorch float32, batch 1": _with(eager, separate, 1),
        f"separate, graph, batch {BATCH}": _with(cpu, separate, BATCH),
        "shared, PyTorch float32, batch 1": _with(eager, shared, 1),
        f"shared, graph, batch {BATCH}": _with(cpu, shared, BATCH),
        f"{store.default_streams}, the default, graph, batch {BATCH}": _with(cpu, default, BATCH),
    }  # fmt: skip
    if torch.cuda.is_available():
        gpu = Engine(store, "cuda")
        forms[f"{store.default_streams}, GPU, batch {BATCH}"] = _with(
            gpu, store.streams("default"), BATCH
        )
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in forms}
    for turn in range(rounds + 1):
        for name, once in forms.items():
            spent = once()
            if turn:  # the first loads weights and makes graphs
                times[name].append(spent)
    medians = {
        name: [statistics.median(column) for column in zip(*values, strict=True)]
        for name, values in times.items()
    }
    paper, own = list(medians.values())[:2]
    table = Table(
        "segmentation, one slice", "ms", "range", "× the paper's", "× separate, PyTorch",
        "processor ms", "× the paper's", "× separate, PyTorch",
        title=f"{cpu.describe([*separate, *shared])}; default form: {store.default_streams}; "
        f"medians of {rounds} rounds by turns",
    )  # fmt: skip
    for name, values in times.items():
        clock = [value for value, _ in values]
        cells = [
            (f"{1000 * median:.1f}", f"{first / median:.1f}", f"{second / median:.1f}")
            for median, first, second in zip(medians[name], paper, own, strict=True)
        ]
        wide = f"{1000 * min(clock):.1f} to {1000 * max(clock):.1f}"
        table.add_row(name, cells[0][0], wide, *cells[0][1:], *cells[1])
    return table


def _peak_megabytes() -> float:
    """Peak memory of this process; NaN where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def analyse(study: Path, name: str) -> None:
    """One complete analysis; prints what it took as JSON."""
    from inference.studies import load, main_series, scan
    from inference.systems.base import Context
    from inference.systems.elbana import ElBana

    device, precision, streams, batch = COMPLETE[name]
    start = time.perf_counter()
    volume = load(main_series(scan(study))[1])
    seconds = time.perf_counter() - start
    context = Context(device=device, streams=streams, batch_size=batch, read_seconds=seconds)
    findings = ElBana(precision=precision).analyse(volume, context)
    told = {
        "timings": asdict(findings.timings),
        "slices": int(volume.shape[0]),
        "analysed": int(findings.analysed.sum()),
        "device": findings.device,
        "megabytes": _peak_megabytes(),
        "notes": list(findings.notes),
    }
    print(json.dumps(told))


def complete(study: Path, rounds: int) -> Table:
    """Complete analyses, by turns."""
    names = [n for n in COMPLETE if torch.cuda.is_available() or "GPU" not in n]
    runs: dict[str, list[dict[str, object]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            command = [sys.executable, "-m", __spec__.name, "--study", str(study), "--only", name]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            runs[name].append(json.loads(done.stdout.splitlines()[-1]))
    first = runs[names[0]][0]
    table = Table(
        "complete study", *STAGES, "ratio", "peak MB",
        title=f"{first['analysed']} of {first['slices']} slices analysed; seconds, median of "
        f"{rounds}; stages overlap",
    )  # fmt: skip

    def median(name: str, stage: str) -> float:
        return statistics.median(run["timings"][stage] for run in runs[name])  # type: ignore[index]

    for name in names:
        table.add_row(
            f"{name}\n{runs[name][-1]['device']}",
            *(f"{median(name, stage):.1f}" for stage in STAGES),
            f"{median(names[0], 'total') / median(name, 'total'):.1f}",
            f"{max(float(str(run['megabytes'])) for run in runs[name]):.0f}",
        )
    return table


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=Path, help="A folder with a CT series.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--study-rounds", type=int, default=1)
    parser.add_argument("--only", choices=COMPLETE, help=argparse.SUPPRESS)
    wish = parser.parse_args()
    if wish.only is not None:
        analyse(wish.study, wish.only)
        return 0
    console = Console() if Console().is_terminal else Console(width=160)
    console.print(segmentation(ModelStore(), wish.rounds))
    if wish.study is not None:
        console.print(complete(wish.study, wish.study_rounds))
    if not torch.cuda.is_available():
        console.print("No CUDA device here: the GPU's figures are left open.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SecondReadError as error:
        sys.exit(str(error))
