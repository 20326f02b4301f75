"""What lesion streams know of a picture in one row of numbers, and a judgement from it.

The streams learn where lesions are, not which disease made them; what their encoder computes on the
way, and how much they mark, tells COVID-19 from other chests all the same. `described` puts it into
a row of numbers, and `EvidenceNetwork` is a logistic regression on these, joined with the logit of
a recogniser that looks at the whole picture.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional as nnf

__all__ = ["AREAS", "EVIDENCE", "LESIONS", "EvidenceNetwork", "described"]

EVIDENCE = "evidence"
"""Name of the streams' output that holds no map but `described`."""

LESIONS = ("ggo", "consolidation", "effusion")
"""Streams that mark lesions, in the order in which they are described."""

AREAS = ("mean probability", "area above 0.5", "area above 0.2", "highest probability")
"""The first ``4 × len(LESIONS)`` numbers: each of these of every stream, areas as shares."""

_FAINT = 0.2
_STEP = 4
"""Maps are looked at in every fourth pixel each way: shares and weights need no more, and the whole
took a fifth of the time that an 8-bit graph takes for the maps."""


def described(logits: Mapping[str, torch.Tensor], features: torch.Tensor) -> torch.Tensor | None:
    """Describe pictures by what was marked on them and by the encoder's features.

    After `AREAS` come the features' sums weighted by the highest lesion probability, divided by the
    sum of the weights and one: nearly their mean over the lesions, and nearly nothing where there
    is none. Last come their means over the whole picture as a direction, of length one, since the
    length depends on window and contrast more than on disease.

    Parameters
    ----------
    logits
        By stream: (n, 1, h, w).
    features
        Shape (n, c, h', w'), the encoder's deepest.

    Returns
    -------
    torch.Tensor or None
        Shape (n, 12 + 2 c), float32, in any precision of the network; None when a stream of
        `LESIONS` is missing.
    """
    if not all(name in logits for name in LESIONS):
        return None
    few = [logits[name][..., ::_STEP, ::_STEP].float() for name in LESIONS]
    maps = torch.cat(few, dim=1).sigmoid()
    deep = features.float()
    areas = [
        maps.mean(dim=(2, 3)),
        (maps > 0.5).float().mean(dim=(2, 3)),
        (maps > _FAINT).float().mean(dim=(2, 3)),
        maps.amax(dim=(2, 3)),
    ]
    highest = maps.amax(dim=1, keepdim=True)
    weight = nnf.adaptive_avg_pool2d(highest, (deep.shape[-2], deep.shape[-1]))
    lesions = (deep * weight).sum(dim=(2, 3)) / (weight.sum(dim=(2, 3)) + 1.0)
    whole = nnf.normalize(deep.mean(dim=(2, 3)), dim=1)
    return torch.cat([*areas, lesions, whole], dim=1)


class EvidenceNetwork(nn.Module):
    """Logistic regression on `described`, and its sum with a recogniser's logit.

    Parameters
    ----------
    features
        Length of a description.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(features))
        self.scale = nn.Parameter(torch.ones(features))
        self.weights = nn.Parameter(torch.zeros(features))
        self.bias = nn.Parameter(torch.zeros(1))
        self.join = nn.Parameter(torch.ones(2))
        self.join_bias = nn.Parameter(torch.zeros(1))

    def forward(self, description: torch.Tensor) -> torch.Tensor:
        """Logits (n,) for COVID-19 from descriptions (n, features) alone."""
        return ((description - self.mean) / self.scale) @ self.weights + self.bias

    def joined(self, recogniser: torch.Tensor, evidence: torch.Tensor) -> torch.Tensor:
        """Joined logits (n,) of those of the recogniser and of `forward`, each (n,)."""
        return self.join[0] * recogniser + self.join[1] * evidence + self.join_bias
