"""A guess whether a picture without modality is an X-ray or a CT slice; never more than a guess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inference.domain import picture_probabilities
from inference.engine import Engine
from inference.models import ModelStore

if TYPE_CHECKING:
    from inference.progress import Progress
    from inference.studies.model import Volume

__all__ = ["KindGuess", "guess_kind"]


@dataclass(frozen=True, slots=True)
class KindGuess:
    """Which of the two a picture looks like.

    Parameters
    ----------
    modality
        ``"CT"`` or ``"DX"``, as a reader would say it.
    score
        In [0, 1]: what the detector gives this kind. Not a probability of being right.
    """

    modality: str
    score: float


def guess_kind(
    volume: Volume, progress: Progress, store: ModelStore | None = None
) -> KindGuess | None:
    """Guess by the network that knows chest X-rays and CT slices from other pictures.

    Parameters
    ----------
    volume
        A picture, or several of one kind.
    progress
        Where to report, and how to be cancelled.
    store
        Where the weights are; the shipped ones by default.

    Returns
    -------
    KindGuess or None
        None where no detector is installed, or the picture looks like something else than both.

    Raises
    ------
    CancelledError
        When it is no longer wanted.
    """
    models = store or ModelStore()
    detector = next((r for r in models.records if r.kind == "domain"), None)
    if detector is None:
        return None
    # One small network, once: to make a graph of it would take longer than to run it.
    engine = Engine(models, "cpu", "float32", "eager")
    xray, ct, other = picture_probabilities(volume, engine, detector, progress, []).tolist()
    if other > max(xray, ct):
        return None
    return KindGuess("CT", ct) if ct > xray else KindGuess("DX", xray)
