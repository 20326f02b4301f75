"""CT slices of which it is known whether they show each manifestation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inference.models import ModelRecord
from inference.training.evaluation.figure import Job, lesion_rows
from inference.training.losses import CODES, IGNORE
from inference.training.manifest import Row
from inference.training.pictures import read_grey

__all__ = ["known_slices"]


def known_slices(
    job: Job, records: Sequence[ModelRecord]
) -> tuple[tuple[Row, ...], NDArray[np.bool_]]:
    """Slices of the job's splits whose masks have no pixel of unknown type.

    Parameters
    ----------
    job, records
        What is scored, and the models, which together say to which split a slice belongs.

    Returns
    -------
    tuple
        The slices' rows, and which manifestations they show, (n, 3), in the order of `CODES`.
    """
    pairs = lesion_rows(job.rows, records, job.splits)
    masks = [read_grey(path) for _, path in pairs]
    known = [i for i, mask in enumerate(masks) if not (mask == IGNORE).any()]
    truth = [[bool((masks[i] == code).any()) for code in CODES.values()] for i in known]
    return tuple(pairs[i][0] for i in known), np.array(truth, dtype=np.bool_).reshape(-1, 3)
