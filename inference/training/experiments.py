"""Comparisons that take trainings: too long for `evaluate`, kept beside the models instead.

What a cross-validation or a leave-one-source-out run measured is entered in a file of the model
store, and the results page shows it from there.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from inference.training.evaluation.figure import Figure

__all__ = ["Experiment", "enter", "read"]


_OTHER = ("network.", "loss.")
"""Settings that make another experiment of it; with others it is the same one, done anew."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """Networks that were trained to be compared, and what was measured of them.

    Parameters
    ----------
    title
        What was tried, in words.
    recipes
        Names and steps.
    start
        The weights that training started from.
    folds
        Those held out of training.
    device, seconds
        Where the trainings ran, and how long all of them took.
    figures
        Of the pictures that were held out.
    """

    title: str
    recipes: str
    start: str
    folds: tuple[int, ...]
    device: str
    seconds: float
    figures: tuple[Figure, ...]


def read(path: Path) -> tuple[Experiment, ...]:
    """The experiments of a file, in the order in which they were entered; none without a file."""
    if not path.is_file():
        return ()
    return tuple(
        Experiment(
            **{
                **values,
                "folds": tuple(values["folds"]),
                "figures": tuple(_figure(figure) for figure in values["figures"]),
            }
        )
        for values in json.loads(path.read_text(encoding="utf-8"))
    )


def enter(one: Experiment, path: Path) -> None:
    """Add an experiment to a file; one of the same title and recipe is replaced where it stands."""
    found = list(read(path))
    places = [i for i, other in enumerate(found) if _key(other) == _key(one)]
    if places:
        found[places[0]] = one
    else:
        found.append(one)
    content = [{**asdict(x), "figures": [_plain(f) for f in x.figures]} for x in found]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _key(one: Experiment) -> tuple[str, str]:
    """Title and names of the recipes, with what they change of network and loss, nothing else."""
    kept = []
    for part in one.recipes.split("), "):
        name, _, settings = part.removesuffix(")").partition(" (")
        kept += [name, *(s for s in settings.split(", ") if s.startswith(_OTHER))]
    return one.title, ", ".join(kept)


def _figure(values: dict[str, Any]) -> Figure:
    known: dict[str, Any] = {k: math.nan if v is None else v for k, v in values.items()}
    return Figure(**known)


def _plain(figure: Figure) -> dict[str, Any]:
    """For JSON: NaN becomes None, and digits that mean nothing go."""
    return {
        k: (round(v, 5) if math.isfinite(v) else None) if isinstance(v, float) else v
        for k, v in asdict(figure).items()
    }
