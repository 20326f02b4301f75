"""Grad-CAM (Selvaraju et al. 2017) of the recogniser at Inception-v3's ``Mixed_7c``."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from inference.networks.recognition import InceptionRecogniser

__all__ = ["METHOD", "grad_cam"]

METHOD = "Grad-CAM, Mixed_7c"


def grad_cam(
    network: InceptionRecogniser, x: torch.Tensor, task: str, index: int
) -> NDArray[np.float32]:
    """Where the evidence for a class lies in a picture.

    The weight of a feature map is the mean over positions of the class score's gradient; the
    map is ReLU of the weighted sum, divided by its maximum.

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
        Shape (h', w') of ``Mixed_7c``, float32 in [0, 1]; all zero when nothing speaks for the
        class.
    """
    with torch.enable_grad():
        maps = network.feature_maps(x).detach().requires_grad_()
        score = network.classify(maps)[task][0, index]
        (gradient,) = torch.autograd.grad(score, maps)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    heat = torch.relu((weights * maps.detach()).sum(dim=1))[0].float()
    top = float(heat.max())
    if top > 0.0:
        heat = heat / top
    values: NDArray[np.float32] = heat.cpu().numpy().astype(np.float32)
    return values
