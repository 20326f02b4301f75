"""What training minimises. Unknown labels (NaN, or code 255 in masks) carry no gradient."""

from __future__ import annotations

import torch
import torch.nn.functional as nnf

__all__ = ["CODES", "IGNORE", "manifestation_loss", "recognition_loss", "streams_loss"]

IGNORE = 255
CODES = {"ggo": 1, "consolidation": 2, "effusion": 3}
"""Mask codes of ``ct_segmentation``."""


def recognition_loss(
    logits: dict[str, torch.Tensor], targets: dict[str, torch.Tensor]
) -> torch.Tensor:
    """Sum over tasks of the cross entropy with soft targets.

    Parameters
    ----------
    logits, targets
        (n, classes) by task; rows of NaN in a target are left out.
    """
    total = next(iter(logits.values())).new_zeros(())
    for task, values in logits.items():
        target = targets[task]
        known = target.isfinite().all(dim=1)
        if known.any():
            total = total + nnf.cross_entropy(values[known].float(), target[known])
    return total


def manifestation_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Binary cross entropy (El-bana et al., eq. 1 with its sign and second term).

    Parameters
    ----------
    logits, targets
        Shape (n, classes); NaN in a target is left out.
    """
    known = targets.isfinite()
    return nnf.binary_cross_entropy_with_logits(logits.float()[known], targets[known])


def _focal_tversky(p: torch.Tensor, y: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Focal Tversky loss over the batch; misses weigh more than false alarms (.7 : .3)."""
    p, y = p * known, y * known
    hit = (p * y).sum()
    index = (hit + 1.0) / (hit + 0.7 * (y * (1 - p)).sum() + 0.3 * (p * (1 - y)).sum() + 1.0)
    return (1.0 - index).pow(0.75)


def streams_loss(logits: dict[str, torch.Tensor], masks: torch.Tensor) -> torch.Tensor:
    """Mean over streams of cross entropy + focal Tversky.

    Parameters
    ----------
    logits
        By stream: (n, 1, h, w) for a manifestation, (n, 4, h, w) for ``"all"``.
    masks
        Shape (n, h, w), uint8 codes; 255 is left out.
    """
    known = (masks != IGNORE).float()
    losses = []
    for stream, values in logits.items():
        scores = values.float()
        if stream == "all":
            codes = masks.long()
            entropy = nnf.cross_entropy(scores, codes, ignore_index=IGNORE)
            shares = scores.softmax(dim=1)
            parts = [
                _focal_tversky(shares[:, code], (masks == code).float(), known)
                for code in CODES.values()
            ]
            losses.append(entropy + torch.stack(parts).mean())
        else:
            y = (masks == CODES[stream]).float()
            entropy = nnf.binary_cross_entropy_with_logits(scores[:, 0], y, weight=known)
            losses.append(entropy + _focal_tversky(scores[:, 0].sigmoid(), y, known))
    return torch.stack(losses).mean()
