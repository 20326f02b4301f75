"""What training minimises. Unknown labels (NaN, or code 255 in masks) carry no gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as nnf

from inference.training.recipe import LossSettings

__all__ = [
    "CODES",
    "IGNORE",
    "LUNG",
    "LUNGS",
    "PICTURE",
    "manifestation_loss",
    "recognition_loss",
    "recognition_losses",
    "streams_loss",
]

IGNORE = 255
CODES = {"ggo": 1, "consolidation": 2, "effusion": 3}
"""Mask codes of ``ct_segmentation``."""
LUNGS = "lungs"
"""The stream that marks the lungs, lesions included, beside those that mark lesions."""
LUNG = 16
"""Added to a mask's code where there is lung, for `LUNGS`."""
PICTURE = "picture"
"""The stream that restores the picture, for pre-training; its output is the grey value."""


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


def recognition_losses(
    logits: dict[str, torch.Tensor], targets: dict[str, torch.Tensor]
) -> torch.Tensor:
    """As `recognition_loss`, of each picture, (n,): nothing is added where a label is unknown."""
    total = next(iter(logits.values())).new_zeros(len(next(iter(logits.values()))))
    for task, values in logits.items():
        target = targets[task]
        known = target.isfinite().all(dim=1, keepdim=True)
        entropy = nnf.cross_entropy(
            values.float(), torch.where(known, target, 0.0), reduction="none"
        )
        total = total + entropy
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


Region = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def _focal_tversky(p: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Focal Tversky loss over the batch; misses weigh more than false alarms (.7 : .3)."""
    hit = (p * y).sum()
    index = (hit + 1.0) / (hit + 0.7 * (y * (1 - p)).sum() + 0.3 * (p * (1 - y)).sum() + 1.0)
    return (1.0 - index).pow(0.75)


def _dice(p: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return 1.0 - (2.0 * (p * y).sum() + 1.0) / (p.sum() + y.sum() + 1.0)


def _iou(p: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    hit = (p * y).sum()
    return 1.0 - (hit + 1.0) / (p.sum() + y.sum() - hit + 1.0)


_REGIONS: dict[str, Region] = {"focal tversky": _focal_tversky, "dice": _dice, "iou": _iou}

PICTURE_WEIGHT = 4.0
"""Of the restored picture beside a manifestation: grey values differ by a tenth, not by one."""
_NEIGHBOURHOOD = 31
"""Side in pixels of the window in which a pixel is compared with its surroundings."""


def _boundary_weights(y: torch.Tensor, weight: float) -> torch.Tensor:
    """1, and up to ``1 + weight`` where a pixel differs from its surroundings (PraNet, Inf-Net)."""
    around = nnf.avg_pool2d(
        y.unsqueeze(1), _NEIGHBOURHOOD, stride=1, padding=_NEIGHBOURHOOD // 2
    ).squeeze(1)
    return 1.0 + weight * (around - y).abs()


def streams_loss(
    logits: dict[str, torch.Tensor],
    masks: torch.Tensor,
    settings: LossSettings | None = None,
    picture: torch.Tensor | None = None,
) -> torch.Tensor:
    """Mean over streams of cross entropy + region loss; of the picture, mean absolute difference.

    Parameters
    ----------
    logits
        By stream: (n, 1, h, w) for a manifestation, `LUNGS` or `PICTURE`, (n, 4, h, w) for
        ``"all"``.
    masks
        Shape (n, h, w), uint8 codes, with `LUNG` added where there is lung; 255 is left out.
    settings
        Which region loss; None: the default.
    picture
        Shape (n, 1, h, w): what `PICTURE` should give.
    """
    settings = settings or LossSettings()
    region = _REGIONS[settings.region]
    is_known = masks != IGNORE
    is_lung = is_known & (masks >= LUNG)
    masks = torch.where(is_known, masks % LUNG, masks)
    known = is_known.float()
    losses = []
    for stream, values in logits.items():
        scores = values.float()
        if stream == PICTURE:
            if picture is None:
                raise ValueError("a stream that restores pictures needs the pictures")
            losses.append(PICTURE_WEIGHT * nnf.l1_loss(scores, picture))
        elif stream == "all":
            entropy = nnf.cross_entropy(scores, masks.long(), ignore_index=IGNORE)
            shares = scores.softmax(dim=1)
            parts = [
                region(shares[:, code] * known, (masks == code).float()) for code in CODES.values()
            ]
            losses.append(entropy + torch.stack(parts).mean())
        else:
            y = (is_lung if stream == LUNGS else masks == CODES[stream]).float()
            weight = known
            if settings.boundary > 0:
                weight = known * _boundary_weights(y, settings.boundary)
            entropy = nnf.binary_cross_entropy_with_logits(scores[:, 0], y, weight=weight)
            losses.append(entropy + region(scores[:, 0].sigmoid() * known, y))
    if settings.union and logits.keys() >= CODES.keys():
        losses.append(_union_loss([logits[key] for key in CODES], masks, known, region))
    return torch.stack(losses).mean()


def _union_loss(
    streams: Sequence[torch.Tensor], masks: torch.Tensor, known: torch.Tensor, region: Region
) -> torch.Tensor:
    """Cross entropy + region loss of "any of them", were the streams independent."""
    # log(1 - p) of the union is the sum over streams; -1e-4 keeps log(p) finite where all say no.
    none = torch.stack([nnf.logsigmoid(-z[:, 0].float()) for z in streams]).sum(dim=0)
    none = none.clamp(-20.0, -1e-4)
    y = ((masks > 0) & (masks != IGNORE)).float()
    entropy = -(y * torch.log(-torch.expm1(none)) + (1 - y) * none)
    share = -torch.expm1(none)
    return (entropy * known).mean() + region(share * known, y)
