"""Random changes of a batch, on the device, after the split and after `preprocess.prepare`."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as nnf

from inference.training.losses import IGNORE
from inference.training.recipe import AugmentSettings

__all__ = ["augment", "corrupt", "mixup"]


def _uniform(n: int, width: float, generator: torch.Generator) -> torch.Tensor:
    return (torch.rand(n, generator=generator) * 2 - 1) * width


def _affine(
    n: int, settings: AugmentSettings, zoom: float, generator: torch.Generator
) -> torch.Tensor:
    """Sampling matrices (n, 2, 3): output coordinates in [-1, 1] -> input coordinates."""
    angle = _uniform(n, math.radians(settings.rotation), generator)
    shear = torch.tan(_uniform(n, math.radians(settings.shear), generator))
    scale = zoom * torch.exp(_uniform(n, math.log1p(settings.scale), generator))
    flip = torch.where(torch.rand(n, generator=generator) < settings.flip, -1.0, 1.0)
    cosine, sine = torch.cos(angle), torch.sin(angle)
    matrix = torch.zeros(n, 2, 3)
    matrix[:, 0, 0] = scale * flip * cosine
    matrix[:, 0, 1] = scale * (-sine + shear * cosine)
    matrix[:, 1, 0] = scale * flip * sine
    matrix[:, 1, 1] = scale * (cosine + shear * sine)
    # A part smaller than the picture may lie anywhere in it.
    room = max(0.0, 1.0 - zoom) + settings.shift
    matrix[:, 0, 2] = _uniform(n, room, generator)
    matrix[:, 1, 2] = _uniform(n, room, generator)
    return matrix


def _grey(x: torch.Tensor, settings: AugmentSettings, generator: torch.Generator) -> torch.Tensor:
    """Random window, gamma, blur or sharpening, and noise; x in [0, 1]."""
    n = len(x)
    shape = (n, 1, 1, 1)
    device = x.device
    contrast = torch.exp(_uniform(n, settings.contrast, generator)).view(shape).to(device)
    brightness = _uniform(n, settings.brightness, generator).view(shape).to(device)
    gamma = torch.exp(_uniform(n, settings.gamma, generator)).view(shape).to(device)
    x = ((x - 0.5) * contrast + 0.5 + brightness).clamp_(0.0, 1.0).pow_(gamma)
    if settings.blur > 0:
        touched = (torch.rand(n, generator=generator) < settings.blur).view(shape).to(device)
        amount = _uniform(n, 1.0, generator).view(shape).to(device)
        smooth = nnf.avg_pool2d(nnf.pad(x, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
        x = torch.where(touched, (x + amount * (smooth - x)).clamp(0.0, 1.0), x)
    if settings.noise > 0:
        level = torch.rand(n, generator=generator).view(shape).to(device) * settings.noise
        x = x + torch.randn(x.shape, generator=generator).to(device) * level
    return x


def _erase(x: torch.Tensor, chance: float, generator: torch.Generator) -> torch.Tensor:
    """Blank bands at the borders and boxes in the corners: text, marks and borders live there."""
    n, _, height, width = x.shape
    for index in range(n):
        if torch.rand((), generator=generator) >= chance:
            continue
        band = torch.randint(0, max(1, height // 10), (4,), generator=generator).tolist()
        grey = float(torch.rand((), generator=generator))
        x[index, :, : band[0]] = grey
        x[index, :, height - band[1] :] = grey
        x[index, :, :, : band[2]] = grey
        x[index, :, :, width - band[3] :] = grey
        corner = torch.randint(0, max(1, height // 5), (4,), generator=generator).tolist()
        x[index, :, : corner[0], : corner[1]] = grey
        x[index, :, : corner[2], width - corner[3] :] = grey
    return x


def augment(
    pictures: torch.Tensor,
    masks: torch.Tensor | None,
    settings: AugmentSettings,
    crop: int,
    generator: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Change a batch at random; masks move with their pictures.

    Parameters
    ----------
    pictures
        Shape (n, size, size), uint8, prepared.
    masks
        Shape (n, size, size), uint8 codes, or None. Outside the picture becomes 0.
    settings
        Limits.
    crop
        Side of the result.
    generator
        CPU generator; all randomness comes from it.

    Returns
    -------
    tuple
        Pictures (n, 1, crop, crop), float32 in about [0, 1] (not yet normalised), and masks
        (n, crop, crop), uint8, or None.
    """
    n, size = pictures.shape[0], pictures.shape[-1]
    x = pictures.unsqueeze(1).float().div_(255.0)
    matrix = _affine(n, settings, crop / size, generator).to(x.device)
    grid = nnf.affine_grid(matrix, [n, 1, crop, crop], align_corners=False)
    x = nnf.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    moved = None
    if masks is not None:
        codes = masks.unsqueeze(1).float()
        codes = nnf.grid_sample(codes, grid, mode="nearest", align_corners=False)
        moved = codes.squeeze(1).round_().to(torch.uint8)
    x = _grey(x, settings, generator)
    if settings.erase > 0:
        x = _erase(x, settings.erase, generator)
    return x, moved


def corrupt(
    x: torch.Tensor, masks: torch.Tensor | None, share: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Cut boxes out of a batch and make it noisy; what was cut out is unknown in the masks.

    Restoring the picture teaches anatomy without labels (context encoders, Pathak et al. 2016;
    denoising, Vincent et al. 2010).

    Parameters
    ----------
    x
        Shape (n, 1, h, w), float32 in about [0, 1].
    masks
        Shape (n, h, w), uint8 codes, or None.
    share
        Of the picture's area to cut out, about, at most 1; half of it is the largest noise.
    generator
        CPU generator.

    Returns
    -------
    tuple
        Changed copies.
    """
    n, _, height, width = x.shape
    level = torch.rand(n, generator=generator).view(n, 1, 1, 1) * share / 2
    spoilt = x + torch.randn(x.shape, generator=generator).to(x.device) * level.to(x.device)
    masks = None if masks is None else masks.clone()
    for index in range(n):
        room = share * float(torch.rand((), generator=generator)) * 2 * height * width
        while room > 0:
            sides = torch.randint(height // 16, height // 4, (2,), generator=generator).tolist()
            top = int(torch.randint(height - sides[0], (), generator=generator))
            left = int(torch.randint(width - sides[1], (), generator=generator))
            box = (index, ..., slice(top, top + sides[0]), slice(left, left + sides[1]))
            spoilt[box] = float(torch.rand((), generator=generator))
            if masks is not None:
                masks[box] = IGNORE
            room -= sides[0] * sides[1]
    return spoilt, masks


def mixup(
    x: torch.Tensor, targets: dict[str, torch.Tensor], beta: float, generator: torch.Generator
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Mix a batch with itself (image mixing of JCS; Zhang et al. 2018).

    Parameters
    ----------
    x
        Shape (n, ...).
    targets
        Probabilities (n, classes) by task; a row of NaN means that the label is unknown, and
        stays unknown in whatever it is mixed with.
    beta
        Parameter of the Beta distribution; 0 returns the batch as it is.
    generator
        CPU generator.
    """
    if beta <= 0:
        return x, targets
    # Beta(b, b) as a ratio of gamma draws, made from this generator alone.
    draws = torch._standard_gamma(torch.full((2, len(x)), beta), generator=generator)
    share = (draws[0] / draws.sum(dim=0).clamp_min(1e-12)).to(x.device)
    order = torch.randperm(len(x), generator=generator).to(x.device)

    def mix(values: torch.Tensor) -> torch.Tensor:
        weight = share.view(-1, *([1] * (values.ndim - 1)))
        return weight * values + (1 - weight) * values[order]

    return mix(x), {task: mix(t) for task, t in targets.items()}
