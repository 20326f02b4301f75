"""What lesion streams know of a picture in one row of numbers, and a judgement from it.

The streams learn where lesions are, not which disease made them; what their encoder computes on the
way, and how much they mark, tells COVID-19 from other chests all the same. `described` puts it into
a row of numbers, and `EvidenceNetwork` is two logistic regressions on these, joined with the logit
of a recogniser that looks at the whole picture. One may use all numbers and knows most of pictures
like those it learned from; the other knows how much is marked and nothing else, so that it is not
misled by another hospital's pictures.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional as nnf

__all__ = ["AREAS", "EVIDENCE", "EXTENTS", "LESIONS", "EvidenceNetwork", "described", "extents"]

EVIDENCE = "evidence"
"""Name of the streams' output that holds no map but `described`."""

LESIONS = ("ggo", "consolidation", "effusion")
"""Streams that mark lesions, in the order in which they are described."""

AREAS = ("mean probability", "area above 0.5", "area above 0.2", "highest probability")
"""The first ``4 × len(LESIONS)`` numbers: each of these of every stream, areas as shares."""

EXTENTS = 2 * len(AREAS)
"""Numbers in a row of `extents`."""

_LEAST = 1e-3
"""Added to a share before its logarithm: a thousandth of the picture is as good as nothing."""
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


def extents(description: torch.Tensor) -> torch.Tensor:
    """How much ground glass and consolidation is marked, on a logarithmic scale.

    Effusion is left out: COVID-19 rarely has one.

    Parameters
    ----------
    description
        Shape (n, k), as of `described`.

    Returns
    -------
    torch.Tensor
        Shape (n, `EXTENTS`): of both the logarithms of the first three `AREAS`, and the logit of
        the last.
    """
    areas = description[:, : len(AREAS) * len(LESIONS)]
    areas = areas.reshape(-1, len(AREAS), len(LESIONS))[:, :, : len(LESIONS) - 1]
    shares, highest = areas[:, :-1], areas[:, -1].clamp(_LEAST, 1.0 - _LEAST)
    return torch.cat([(shares + _LEAST).log().flatten(1), highest.logit()], dim=1)


class EvidenceNetwork(nn.Module):
    """Logistic regressions on `described` and on `extents`, summed with a recogniser's logit.

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
        self.extent_weights = nn.Parameter(torch.zeros(EXTENTS))
        self.extent_bias = nn.Parameter(torch.zeros(1))
        self.join = nn.Parameter(torch.ones(3))
        self.join_bias = nn.Parameter(torch.zeros(1))

    def parts(self, description: torch.Tensor) -> torch.Tensor:
        """Logits (n, 2) for COVID-19: of all numbers of descriptions (n, features), of extents."""
        features = ((description - self.mean) / self.scale) @ self.weights + self.bias
        extent = extents(description) @ self.extent_weights + self.extent_bias
        return torch.stack([features, extent], dim=1)

    def forward(self, description: torch.Tensor) -> torch.Tensor:
        """Logits (n,) from descriptions alone: the mean of `parts`, weighed as in the join."""
        weights = self.join[1:]
        return self.parts(description) @ (weights / weights.sum().clamp_min(1e-6))

    def joined(self, recogniser: torch.Tensor, description: torch.Tensor) -> torch.Tensor:
        """Joined logits (n,) of those of the recogniser, (n,), and of `parts`."""
        both = self.parts(description) @ self.join[1:]
        return self.join[0] * recogniser + both + self.join_bias
