"""Grad-CAM (Selvaraju et al. 2017) of a recogniser at its last maps, Inception's ``Mixed_7c``.

Only global average pooling and one linear layer follow them, so the map equals the class activation
map of Zhou et al. (2016) up to the number of positions; a test holds it to that.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from inference.networks.recognition import Recogniser

__all__ = ["evidence", "grad_cam", "method", "to_heat"]


def method(network: Recogniser) -> str:
    """The method and the layer in words, e.g. ``"Grad-CAM, Mixed_7c"``."""
    return f"Grad-CAM, {network.layer}"


def evidence(network: Recogniser, x: torch.Tensor, task: str, index: int) -> NDArray[np.float32]:
    """Where a picture speaks for a class, and where against it: Grad-CAM before its ReLU.

    The weight of a feature map is the mean over positions of the class score's gradient; the
    evidence is the weighted sum of the maps.

    Parameters
    ----------
    network
        In evaluation mode.
    x
        Shape (n, 1, h, w), the network's input.
    task, index
        Which score.

    Returns
    -------
    ndarray
        Shape (n, h', w') of the last maps, float32; in the score's unit, divided by h' w'.
    """
    with torch.enable_grad():
        maps = network.feature_maps(x).detach().requires_grad_()
        # Pictures do not touch each other, so the sum's gradient is that of each picture's score.
        score = network.classify(maps)[task][:, index].sum()
        (gradient,) = torch.autograd.grad(score, maps)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    summed = (weights * maps.detach()).sum(dim=1)
    values: NDArray[np.float32] = summed.float().cpu().numpy().astype(np.float32)
    return values


def to_heat(evidence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keep what speaks for the class and divide it by its maximum.

    Parameters
    ----------
    evidence
        Shape (h', w'), of one picture.

    Returns
    -------
    ndarray
        The same shape, float32 in [0, 1]; all zero when nothing speaks for the class.
    """
    heat = np.maximum(evidence, np.float32(0.0))
    top = heat.max()
    return heat / top if top > 0.0 else heat


def grad_cam(network: Recogniser, x: torch.Tensor, task: str, index: int) -> NDArray[np.float32]:
    """Where the evidence for a class lies in a picture.

    Parameters
    ----------
    network
        In evaluation mode.
    x
        Shape (1, 1, h, w), the network's input.
    task, index
        Which score.

    Returns
    -------
    ndarray
        Shape (h', w') of the last maps, float32 in [0, 1]; all zero when nothing speaks for the
        class.
    """
    return to_heat(evidence(network, x, task, index)[0])
