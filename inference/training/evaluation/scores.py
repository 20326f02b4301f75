"""What models say of each picture beside the truth, so that folds can be pooled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.training.evaluation.figure import CROSS_VALIDATION, SPLITS
from inference.training.manifest import Row

__all__ = ["Scores", "pool"]


@dataclass(frozen=True, eq=False, slots=True)
class Scores:
    """Results picture by picture.

    Parameters
    ----------
    rows
        The pictures; length n.
    splits
        Of `SPLITS`, or `CROSS_VALIDATION`; length n.
    values
        By name, arrays of length n along their first axis.
    """

    rows: tuple[Row, ...]
    splits: NDArray[np.str_]
    values: dict[str, NDArray[Any]]

    @property
    def groups(self) -> NDArray[np.str_]:
        """Group of each picture."""
        return np.array([r.group for r in self.rows])

    @property
    def source(self) -> str:
        """Where the pictures come from, in words."""
        return " + ".join(sorted({r.source for r in self.rows}))

    def by_split(self) -> Iterator[tuple[str, Scores]]:
        """Each split that occurs, with its own pictures; best known last."""
        for which in (CROSS_VALIDATION, *SPLITS):
            index = np.flatnonzero(self.splits == which)
            if len(index):
                yield which, self.at(index)

    def at(self, index: NDArray[np.intp]) -> Scores:
        """The pictures with these numbers."""
        return Scores(
            tuple(self.rows[i] for i in index),
            self.splits[index],
            {name: array[index] for name, array in self.values.items()},
        )


def pool(parts: Sequence[Scores]) -> Scores:
    """Held-out pictures of several folds as one set, every picture scored by its own fold's model.

    Parameters
    ----------
    parts
        Of one model name, with equal value names; not empty.
    """
    rows = tuple(row for part in parts for row in part.rows)
    return Scores(
        rows,
        np.full(len(rows), CROSS_VALIDATION),
        {name: np.concatenate([p.values[name] for p in parts]) for name in parts[0].values},
    )
