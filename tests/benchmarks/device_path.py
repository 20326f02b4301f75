"""Pre- and post-processing beside the networks against the host's, by turns in one run.

Run as ``python -m tests.benchmarks.device_path [--study FOLDER] [--batch 8 32] [--rounds 5]``.
Preparation of slices is timed, and compared bit by bit with OpenCV's, on the CPU and, where there
is one, on the GPU. On a GPU complete analyses follow, from files to findings, in 16 bit with
recorded networks either way, so that what differs is only where slices are prepared and masks made;
the first of each, which loads weights and records, is not counted. Without a study the synthetic
chest is used, at 300 slices.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.uid import generate_uid
from rich.console import Console
from rich.table import Table

from inference import sample
from inference.backends.lane import Lane
from inference.engine import Engine
from inference.errors import SecondReadError
from inference.findings import Findings
from inference.models import ModelStore
from inference.ondevice.preparing import Preparer
from inference.preprocess import prepare, to_picture
from inference.studies import load, main_series, scan
from inference.studies.model import Volume
from inference.systems.base import Context
from inference.systems.elbana import ElBana
from inference.systems.elbana.planning import Plan, make_plan

SLICES = 300
TARGET = 2.0
TARGET_NETWORKS = 0.5
"""Seconds aimed at for that many slices on a card of the H200's class."""
STAGES = ("read", "pre", "recognise", "label", "segment", "post", "total")
NETWORKS = ("recognise", "label", "segment")
SIZES = (176, 256, 320)
"""Of the shipped networks for CT."""
GROUP = 8


def write_study(folder: Path) -> None:
    """The synthetic chest at 300 slices, interpolated between its own."""
    sources = [dcmread(path) for path in sorted(sample.ensure().glob("*.dcm"))]
    sources.sort(key=lambda ds: float(ds.ImagePositionPatient[2]))
    values = np.stack([ds.pixel_array for ds in sources]).astype(np.float32)
    heights = np.array([float(ds.ImagePositionPatient[2]) for ds in sources])
    for index, z in enumerate(np.linspace(heights[0], heights[-1], SLICES)):
        place = float(np.interp(z, heights, np.arange(len(heights))))
        below = min(int(place), len(sources) - 2)
        part = np.float32(place - below)
        ds = sources[below]
        mixed = values[below] * (1 - part) + values[below + 1] * part
        ds.PixelData = np.rint(mixed).astype("<u2").tobytes()
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        ds.ImagePositionPatient = [*ds.ImagePositionPatient[:2], f"{z:.4f}"]
        ds.InstanceNumber = index + 1
        ds.SliceThickness = f"{(heights[-1] - heights[0]) / (SLICES - 1):.4f}"
        ds.save_as(folder / f"{index:03d}.dcm", enforce_file_format=True)


def _read(study: Path) -> tuple[Volume, float]:
    start = time.perf_counter()
    volume = load(main_series(scan(study))[1])
    return volume, time.perf_counter() - start


def _by_opencv(volume: Volume, plan: Plan, group: NDArray[np.intp]) -> dict[int, NDArray[np.uint8]]:
    pictures = [to_picture(volume, int(index)) for index in group]
    return {size: np.stack([prepare(p, size, plan.box) for p in pictures]) for size in SIZES}


def preparation(volume: Volume, plan: Plan, rounds: int) -> Table:
    """Time of a slice's preparation for all networks by way, the ways by turns."""
    start = max(0, len(plan.indices) // 2 - GROUP)
    group = plan.indices[start : start + GROUP]
    devices = [torch.device("cpu")]
    devices += [torch.device("cuda")] if torch.cuda.is_available() else []
    found: dict[str, dict[int, NDArray[np.uint8]]] = {}

    def there(name: str, device: torch.device) -> Callable[[], None]:
        lane = Lane(device)
        with lane.turn():
            preparer = Preparer(volume.shape[1:], plan.box, SIZES, device)

        def work() -> None:
            with lane.turn():
                made = preparer(lane.send(volume.array, group))
            found[name] = {size: values.cpu().numpy() for size, values in made.items()}

        return work

    expected = _by_opencv(volume, plan, group)
    ways: dict[str, Callable[[], object]] = {"OpenCV, CPU": lambda: _by_opencv(volume, plan, group)}
    for device in devices:
        name = f"torch, {device.type.upper()}"
        ways[name] = there(name, device)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, work in ways.items():
            begin = time.perf_counter()
            work()
            if turn:
                times[name].append(1000 * (time.perf_counter() - begin) / len(group))
    table = Table(
        "preparation, one slice", "ms", "range", "OpenCV's time ÷ this", "pixels that differ",
        title=f"{volume.shape[1]} × {volume.shape[2]} to {', '.join(map(str, SIZES))}, "
        f"{len(group)} slices a batch; medians of {rounds} rounds by turns",
    )  # fmt: skip
    first = statistics.median(times["OpenCV, CPU"])
    pixels = sum(values.size for values in expected.values())
    for name, values in times.items():
        differ = ""
        if name in found:
            count = sum(int((found[name][size] != expected[size]).sum()) for size in SIZES)
            differ = f"{count} of {pixels}"
        median = statistics.median(values)
        wide = f"{min(values):.2f} to {max(values):.2f}"
        table.add_row(name, f"{median:.2f}", wide, f"{first / median:.2f}", differ)
    return table


def complete(study: Path, batches: list[int], rounds: int) -> Table:
    """Complete analyses by stage, the paths by turns."""
    systems = {
        (name, batch): ElBana(on_device=on_device)
        for batch in batches
        for name, on_device in (("host", False), ("device", True))
    }
    runs: dict[tuple[str, int], list[Findings]] = {key: [] for key in systems}
    for turn in range(rounds + 1):
        for key, system in systems.items():
            volume, seconds = _read(study)
            context = Context(device="cuda", batch_size=key[1], read_seconds=seconds)
            findings = system.analyse(volume, context)
            if turn:
                runs[key].append(findings)
    last = next(iter(runs.values()))[-1]
    table = Table(
        "pre- and post-processing", *STAGES, "networks", "pixels marked otherwise",
        title=f"{last.device}; {int(last.analysed.sum())} of {last.shape[0]} slices analysed; "
        f"seconds, medians of {rounds} by turns; stages overlap",
    )  # fmt: skip
    for (name, batch), told in runs.items():
        timings = [asdict(findings.timings) for findings in told]
        median = {stage: statistics.median(one[stage] for one in timings) for stage in STAGES}
        networks = statistics.median(sum(one[s] for s in NETWORKS) for one in timings)
        host = runs["host", batch][-1]
        differ = sum(
            int((one.mask != other.mask).sum())
            for one, other in zip(told[-1].segments, host.segments, strict=True)
        )
        table.add_row(
            f"on the {name}, batch {batch}",
            *(f"{median[stage]:.2f}" for stage in STAGES),
            f"{networks:.2f}",
            "" if name == "host" else str(differ),
        )
    table.add_row(
        f"aimed at, {SLICES} slices", *[""] * (len(STAGES) - 1),
        f"{TARGET:.2f}", f"{TARGET_NETWORKS:.2f}", "",
    )  # fmt: skip
    return table


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=Path, help="A folder with a CT series.")
    parser.add_argument("--batch", type=int, nargs="+", default=[8, 32])
    parser.add_argument("--rounds", type=int, default=5)
    wish = parser.parse_args()
    console = Console() if Console().is_terminal else Console(width=160)
    with tempfile.TemporaryDirectory() as folder:
        study = wish.study
        if study is None:
            study = Path(folder)
            write_study(study)
        volume, _ = _read(study)
        console.print(preparation(volume, make_plan(volume), wish.rounds))
        if torch.cuda.is_available():
            console.print(Engine(ModelStore(), "cuda").describe())
            console.print(complete(study, wish.batch, wish.rounds))
        else:
            console.print(
                f"No CUDA device here: the row of {SLICES} slices (aimed at: {TARGET:g} s, "
                f"networks {TARGET_NETWORKS:g} s) stays open."
            )
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SecondReadError as error:
        sys.exit(str(error))
