"""Score models on pictures they have not seen, and say which those are.

A row whose ``split_group`` a model was trained on is never scored as if unseen: it is left out, or
(``everything=True``) scored apart under the split ``"trained on"``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from inference.errors import BadInputError
from inference.models import ModelStore
from inference.progress import Progress
from inference.training.evaluation import (
    calibration,
    domain,
    evidence,
    explanation,
    lungs,
    manifestations,
    recognition,
    segmentation,
    series,
    shortcuts,
)
from inference.training.evaluation.figure import SPLITS, Figure, Job
from inference.training.manifest import Row

__all__ = ["TASKS", "TITLES", "Task", "evaluate"]


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that can be scored.

    Parameters
    ----------
    figures
        Scores it; an empty list when the store or the manifest has nothing for it.
    titles
        Headings of the results page, by `Figure.task`.
    """

    figures: Callable[[Job], list[Figure]]
    titles: dict[str, str]


TASKS = {
    "recognition": Task(recognition.figures, recognition.TITLES),
    "evidence": Task(evidence.figures, evidence.TITLES),
    "shortcuts": Task(shortcuts.figures, shortcuts.TITLES),
    "manifestations": Task(manifestations.figures, manifestations.TITLES),
    "calibration": Task(calibration.figures, calibration.TITLES),
    "segmentation": Task(segmentation.figures, segmentation.TITLES),
    "explanation": Task(explanation.figures, explanation.TITLES),
    "lungs": Task(lungs.figures, lungs.TITLES),
    "domain": Task(domain.figures, domain.TITLES),
    "series": Task(series.figures, series.TITLES),
}
"""Every task by the name that ``secondread evaluate --task`` takes, in the page's order."""

TITLES = {key: title for task in TASKS.values() for key, title in task.titles.items()}
"""Headings of the results page by `Figure.task`, in its order."""


def evaluate(
    rows: Sequence[Row],
    store: ModelStore,
    *,
    tasks: Iterable[str] = tuple(TASKS),
    everything: bool = False,
    device: str = "auto",
    progress: Progress | None = None,
) -> list[Figure]:
    """Score the models of a store on a manifest.

    Parameters
    ----------
    rows
        Of `manifest.read_manifest`.
    store
        The models.
    tasks
        Of `TASKS`.
    everything
        Score trained-on rows too, apart.
    device
        As `inference.device.choose`; arithmetic is float32, so that figures repeat.
    progress
        Told as it goes.

    Raises
    ------
    BadInputError
        For an unknown task, or when nothing can be scored.
    """
    wanted = set(tasks)
    unknown = wanted - set(TASKS)
    if unknown:
        raise BadInputError(
            f"Unknown task {', '.join(sorted(unknown))}; tasks are {', '.join(TASKS)}."
        )
    job = Job.begin(rows, store, SPLITS if everything else SPLITS[:2], device, progress)
    figures = [f for name, task in TASKS.items() if name in wanted for f in task.figures(job)]
    if not figures:
        raise BadInputError(
            "Nothing could be scored: the manifest has no unseen row of these tasks "
            "(--all scores those that the models were trained on, apart)."
        )
    return figures
