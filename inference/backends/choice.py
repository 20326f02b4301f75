"""Which precision a model's graph runs in on this machine.

Processors announce arithmetic that is slow (bfloat16 without AMX) or that overflows (8 bit on AVX2
without VNNI), so nothing is looked up: each precision that `precisions` allows is timed once on a
picture made here, and its answer compared with that of float32. The choice is kept with the graph,
so that the same machine gives the same findings.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from inference.backends import openvino_quietly
from inference.backends.cache import Cache
from inference.backends.graph import GraphRunner, load_graph, supports
from inference.backends.precisions import FLOAT32, GraphNotes
from inference.backends.runner import BackendError, Logits, Runner
from inference.models import ModelRecord, ModelStore

__all__ = ["choose_runner", "disagreement", "probe_pictures"]

_ROUNDS: Final = 3
_PROBES: Final = 2
_GAIN: Final = 0.85
"""A lower precision must take less than this part of float32's time, or it is not worth it."""
_TOLERANCE: Final = 2.0
"""Times the disagreement that was measured with the ranges; other roundings are no reason."""
_SLACK: Final = 0.01
_FILE: Final = "choice.json"


def probe_pictures(size: int) -> NDArray[np.uint8]:
    """Smooth shapes with some noise, the same everywhere: (2, size, size), uint8."""
    rng = np.random.default_rng(20200520)
    coarse = rng.uniform(0, 255, (_PROBES, 8, 8)).astype(np.float32)
    smooth = [cv2.resize(c, (size, size), interpolation=cv2.INTER_LINEAR) for c in coarse]
    noisy = np.stack(smooth) + rng.normal(0, 6, (_PROBES, size, size))
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def disagreement(found: Logits, expected: Logits) -> float:
    """Mean difference of logits relative to their mean size; of the worst output."""
    return max(
        float(np.abs(found[name] - values).mean() / (np.abs(values).mean() + 1e-6))
        for name, values in expected.items()
    )


def _probe(
    runners: Mapping[str, Runner], known: Mapping[str, float], pictures: NDArray[np.uint8]
) -> str:
    """The fastest of those that agree with float32."""
    expected = runners[FLOAT32].run(pictures)
    sound = {
        name: runner
        for name, runner in runners.items()
        if name == FLOAT32
        or disagreement(runner.run(pictures), expected) <= _TOLERANCE * known.get(name, 0) + _SLACK
    }
    best = dict.fromkeys(sound, float("inf"))
    for _ in range(_ROUNDS):
        for name, runner in sound.items():
            start = time.perf_counter()
            runner.run(pictures)
            best[name] = min(best[name], time.perf_counter() - start)
    fastest = min(best, key=lambda name: best[name])
    return fastest if best[fastest] < _GAIN * best[FLOAT32] else FLOAT32


def _machine() -> list[str]:
    """What a choice depends on beside the weights."""
    core = openvino_quietly.core()
    return [
        str(core.get_property("CPU", "FULL_DEVICE_NAME")),
        " ".join(sorted(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))),
        f"{torch.get_num_threads()} threads",
    ]


def choose_runner(
    store: ModelStore,
    record: ModelRecord,
    notes: GraphNotes | None,
    cache: Cache,
    wanted: str | None = None,
) -> GraphRunner:
    """Make the runner of a model's graph.

    Parameters
    ----------
    store, record
        The model.
    notes
        What is known of it in lower precision.
    cache
        Keeps graph and choice.
    wanted
        A precision; None: the fastest that is allowed and sound.

    Raises
    ------
    AnalysisError
        When the weights are missing or altered.
    BackendError
        When there is no such graph here.
    """
    graph = load_graph(store, record, cache)
    ranges = {} if notes is None else notes.ranges
    if wanted is not None:
        return GraphRunner(graph, wanted, ranges)
    candidates = [p for p in (notes.allowed if notes else ()) if supports(p)]
    if notes is None or not candidates:
        return GraphRunner(graph)
    told = [record.sha256, openvino_quietly.version(), notes.digest(), *_machine()]
    chosen = _remembered(cache, record, told)
    if chosen not in {FLOAT32, *candidates}:
        runners = _compiled(graph, candidates, ranges)
        chosen = _probe(runners, notes.disagreement, probe_pictures(record.size))
        _remember(cache, record, told, chosen)
        return runners[chosen]
    return GraphRunner(graph, chosen, ranges)


def _compiled(graph: Any, candidates: list[str], ranges: Any) -> dict[str, GraphRunner]:
    runners = {FLOAT32: GraphRunner(graph)}
    for precision in candidates:
        try:
            runners[precision] = GraphRunner(graph, precision, ranges)
        except BackendError:
            continue  # float32 is there
    return runners


def _remembered(cache: Cache, record: ModelRecord, told: list[str]) -> str | None:
    folder = cache.find(f"{record.name}.choice", record.sha256[:16])
    if folder is None:
        return None
    try:
        content = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        return str(content["precision"]) if content["told"] == told else None
    except (KeyError, OSError, TypeError, ValueError):
        return None


def _remember(cache: Cache, record: ModelRecord, told: list[str], precision: str) -> None:
    def write(folder: Path) -> None:
        text = json.dumps({"told": told, "precision": precision}, indent=1)
        (folder / _FILE).write_text(text, encoding="utf-8")

    cache.put(f"{record.name}.choice", record.sha256[:16], write)
