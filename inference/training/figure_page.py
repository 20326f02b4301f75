"""``docs/figures.md``: what the tables of the results page look like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.findings import Manifestation
from inference.models import ModelStore
from inference.preprocess import to_picture
from inference.progress import Progress
from inference.training.evaluation import calibration, recognition, segmentation
from inference.training.evaluation.figure import SPLITS, Job
from inference.training.evaluation.scores import Scores
from inference.training.manifest import Row
from inference.training.mask_metrics import dice
from inference.training.metrics import area_under_roc, bootstrap
from inference.training.plots import (
    Example,
    Roc,
    draw_dice,
    draw_examples,
    draw_reliability,
    draw_roc,
)

__all__ = ["write_page"]

SHOWN = SPLITS[:2]
"""Test and validation; what was trained on is not shown."""
_TEST = SPLITS[0]


def write_page(
    rows: Sequence[Row],
    store: ModelStore,
    folder: Path,
    *,
    device: str = "auto",
    progress: Progress | None = None,
) -> list[Path]:
    """Write ``figures.md`` and the pictures in ``figures/``.

    Parameters
    ----------
    rows
        Of `manifest.read_manifest`.
    store
        The models.
    folder
        Where the page goes.
    device
        As `inference.device.choose`; arithmetic is float32, so that figures repeat.
    progress
        Told as it goes.

    Returns
    -------
    list of Path
        What was written. A chart for which the manifest or the store has nothing is left out, and
        the page says so.
    """
    job = Job.begin(rows, store, SHOWN, device, progress)
    pictures = folder / "figures"
    pictures.mkdir(parents=True, exist_ok=True)
    sections = [
        _roc(job, pictures / "roc.svg"),
        _reliability(job, pictures / "reliability.svg"),
        _dice(job, pictures / "dice.svg"),
        _examples(job, pictures / "examples.png"),
    ]
    page = folder / "figures.md"
    page.write_text(
        "# Figures\n\n"
        "Made by `secondread figures DATA --out docs`; running it again gives the same files. "
        f"Arithmetic is float32; device: {job.engine.describe()}. `test` groups were neither "
        "trained on nor chosen on; intervals are 95 %, bootstrapped over groups. The numbers "
        "stand in [results.md](results.md).\n\n" + "\n".join(sections),
        encoding="utf-8",
    )
    return [page, *(p for p in sorted(pictures.iterdir()) if p.suffix in {".svg", ".png"})]


def _section(title: str, picture: Path | None, text: str) -> str:
    image = "" if picture is None else f"![{title}](figures/{picture.name})\n\n"
    return f"## {title}\n\n{image}{text}\n"


_NOTHING = "Not computed: the data folder or the store has nothing for it."


def _roc(job: Job, path: Path) -> str:
    title = "ROC of COVID-19 recognition"
    curves, counts = [], []
    scored = recognition.score(job)
    # Where models are joined a reader is shown what they say together.
    joined = {part for name in scored if " + " in name for part in name.split(" + ")}
    for name, scores in scored.items():
        part = _of_split(scores, _TEST)
        if part is None or name in joined:
            continue
        record = job.store.find(name.split(" + ")[0])
        # A picture holds few curves: of each modality, those of the recogniser that reads it.
        if record.kind == "recognition" and record != job.store.recogniser(ct=record.reads == "CT"):
            continue
        for subset, inside in recognition.subsets(part).items():
            if subset.startswith("CT") != (record.reads == "CT") or subset == "X-ray and CT":
                continue
            one = part.at(np.flatnonzero(inside))
            truth, said = one.values["covid"], one.values["two"]
            if not 0 < truth.sum() < len(truth):
                continue
            area = bootstrap(_area(truth, said), one.groups.tolist())["AUC"]
            curves.append(Roc(subset, truth, said, area))
            counts.append(f"{subset}: n {len(truth)}, groups {len(set(one.groups))} ({name})")
    if not curves:
        return _section(title, None, _NOTHING)
    draw_roc(curves, path)
    return _section(title, path, "Test groups. " + "; ".join(counts) + ". The sources differ in "
                    "more than disease, so these are upper bounds.")  # fmt: skip


def _area(
    truth: NDArray[np.bool_], said: NDArray[np.float64]
) -> Callable[[NDArray[np.intp]], dict[str, float]]:
    return lambda i: {"AUC": area_under_roc(truth[i], said[i])}


def _of_split(scores: Scores, split: str) -> Scores | None:
    return next((part for which, part in scores.by_split() if which == split), None)


def _reliability(job: Job, path: Path) -> str:
    title = "Reliability of the probabilities"
    curves = [c for c in calibration.curves(job) if c.split == _TEST and c.bins]
    if not curves:
        return _section(title, None, _NOTHING)
    draw_reliability(curves, path)
    return _section(
        title,
        path,
        "Test groups; the temperature was fitted on validation groups. Every group counts once; "
        "bars are Wilson intervals by groups.",
    )


def _dice(job: Job, path: Path) -> str:
    title = "Dice of each slice"
    scored = {name: segmentation.measure(p) for name, p in segmentation.predict(job).items()}
    names = list(dict.fromkeys(name for s in scored.values() for name in s.values))
    found: dict[str, dict[str, dict[str, NDArray[np.float64]]]] = {}
    counts: dict[str, str] = {}
    for name in names:
        for form, scores in scored.items():
            short = form.removeprefix("streams (").removesuffix(")")
            for split in SHOWN:
                part = _of_split(scores, split)
                if part is None or name not in part.values:
                    continue
                values = part.values[name]
                shown = values[values[:, 2] > 0]
                each = np.array([dice(*row[:3]) for row in shown])
                found.setdefault(name, {}).setdefault(short, {})[split] = each
                counts[f"{name}, {split}"] = f"{len(each)} of {len(values)} slices"
    if not found:
        return _section(title, None, _NOTHING)
    draw_dice(found, path)
    listed = "; ".join(f"{key}: {value}" for key, value in counts.items())
    return _section(
        title,
        path,
        f"{next(iter(scored.values())).source}, slices that have the class; filled: test, hollow: "
        f"validation; line: mean. {listed}.",
    )


def _examples(job: Job, path: Path) -> str:
    """Best and worst slice of the sample study: no licence of the data allows showing theirs."""
    from inference import sample
    from inference.studies import load, main_series, scan
    from inference.systems.base import Context
    from inference.systems.elbana import ElBana

    title = "Examples, good and bad"
    if not {"recognition", "manifestations", "streams"} <= {r.kind for r in job.store.records}:
        return _section(title, None, _NOTHING)
    volume = load(main_series(scan(sample.ensure()))[1])
    findings = ElBana(job.store, precision="float32").analyse(
        volume, Context(device=job.device, progress=job.progress)
    )
    truth = sample.truth()
    known = {key.value: np.asarray(getattr(truth, key.value), dtype=bool) for key in Manifestation}
    masks = {s.key.value: s.mask for s in findings.segments}
    true = np.logical_or.reduce(list(known.values()))
    called = np.logical_or.reduce(list(masks.values()))
    area = true.sum(axis=(1, 2))
    each = np.array([
        dice(float((t & c).sum()), float(c.sum()), float(t.sum()))
        for t, c in zip(true, called, strict=True)
    ])  # fmt: skip
    # Slices with a fingertip's edge of a lesion say little.
    worth = np.flatnonzero(area > 0.1 * area.max())
    chosen = {"best": worth[each[worth].argmax()], "worst": worth[each[worth].argmin()]}
    draw_examples(
        [
            Example(
                f"{word}, slice {index + 1}, Dice {each[index]:.2f}",
                to_picture(volume, int(index)),
                {name: mask[index] for name, mask in known.items()},
                {name: mask[index] for name, mask in masks.items()},
            )
            for word, index in chosen.items()
        ],
        path,
    )
    return _section(
        title,
        path,
        "The synthetic sample study, since the licence of no annotated picture allows showing it "
        f"here: the slices with the best and the worst Dice of all lesions together, of "
        f"{len(worth)} with lesions of some size. GGO yellow, consolidation red, effusion green.",
    )
