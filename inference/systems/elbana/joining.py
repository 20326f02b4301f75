"""The recogniser's logits joined with what the lesion streams saw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from inference.engine import Engine
from inference.errors import AnalysisError
from inference.models import ModelRecord
from inference.networks.evidence import EvidenceNetwork
from inference.outputs import require_numbers

__all__ = ["Both", "join"]


@dataclass(frozen=True, eq=False, slots=True)
class Both:
    """Logits, float32.

    Parameters
    ----------
    joined
        Of recogniser and evidence together, of two classes, (n, 2); the second column is zero.
    alone
        Of the evidence alone, likewise.
    parts
        Those that the evidence is made of, for COVID-19, (n, 2) (`EvidenceNetwork.parts`).
    """

    joined: NDArray[np.float32]
    alone: NDArray[np.float32]
    parts: NDArray[np.float32]


def join(
    engine: Engine,
    record: ModelRecord,
    recogniser: NDArray[np.float32],
    description: NDArray[np.float32],
) -> Both:
    """Join a recogniser's logits with the evidence in a description.

    Parameters
    ----------
    engine, record
        Who has the evidence's weights, and which they are.
    recogniser
        Shape (n, 2), logits of ``covid-2``.
    description
        Shape (n, k), the streams' output `networks.evidence.EVIDENCE`.

    Raises
    ------
    AnalysisError
        When the weights are missing, altered, or not made for such a description; or they give
        what is no number.
    """
    network = engine.network(record)
    if not isinstance(network, EvidenceNetwork) or network.mean.shape != description.shape[1:]:
        raise AnalysisError(f"The weights {record.file} do not fit; install SecondRead again.")
    with torch.inference_mode():
        row = torch.from_numpy(np.ascontiguousarray(description)).to(engine.device)
        margin = torch.from_numpy(recogniser[:, 0] - recogniser[:, 1]).to(engine.device)
        parts = network.parts(row)
        alone, joined = network(row), network.joined(margin, row)
    said = {"joined": joined, "alone": alone, "parts": parts}
    require_numbers(record.name, said)
    return Both(_two_classes(joined), _two_classes(alone), parts.cpu().numpy())


def _two_classes(logits: torch.Tensor) -> NDArray[np.float32]:
    first = logits.cpu().numpy()
    return np.stack([first, np.zeros_like(first)], axis=1)
