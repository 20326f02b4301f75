"""Inception-v3 with one trunk and a linear head a task (El-bana et al., stage 1).

The paper freezes an ImageNet trunk and replaces the last layer, once for two classes and once for
four; one trunk with both heads is the same network written once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import torch
from torch import nn

from inference import torchvision_shim  # noqa: F401 - before torchvision

from torchvision.models import Inception_V3_Weights, inception_v3  # isort: skip

__all__ = ["FEATURES", "InceptionRecogniser"]

FEATURES = 2048
"""Channels of Mixed_7c."""

_TRUNK = (
    "Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "maxpool1", "Conv2d_3b_1x1",
    "Conv2d_4a_3x3", "maxpool2", "Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b",
    "Mixed_6c", "Mixed_6d", "Mixed_6e", "Mixed_7a", "Mixed_7b", "Mixed_7c",
)  # fmt: skip


def _imagenet() -> nn.Module:
    """Inception-v3 with torchvision's ImageNet weights, for pictures as `to_tensor` gives them."""
    weights = Inception_V3_Weights.IMAGENET1K_V1
    state = weights.get_state_dict(progress=True, check_hash=True, weights_only=True)
    network: nn.Module = inception_v3(weights=None, aux_logits=True, init_weights=False)
    network.load_state_dict(state)
    # These weights expect (x - 0.5) / 0.5 for x in [0, 1]; `to_tensor` divides by 0.25.
    first = network.get_parameter("Conv2d_1a_3x3.conv.weight")
    with torch.no_grad():
        first.mul_(0.5)
    return network


def _calm(network: nn.Module) -> None:
    """Start batch normalisation where ReLU is nearly linear.

    From random weights the gradients of a network with batch normalisation and no short cuts
    explode with depth (Yang et al. 2019): those of Inception's first layer were 10,000 times those
    of the last relative to the weights, and turned at random when 0.1 % of noise was added to the
    picture. Shifted by one, they are alike and steady.
    """
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.bias)


class InceptionRecogniser(nn.Module):
    """Inception-v3 up to ``Mixed_7c``, global average pooling, dropout and linear heads.

    Parameters
    ----------
    heads
        Number of classes by task, e.g. ``{"covid-2": 2, "cxr-4": 4}``.
    imagenet
        Start from torchvision's ImageNet weights (downloaded by torchvision) and freeze the trunk
        as the paper does.
    dropout
        Before the heads; torchvision's default.
    """

    def __init__(
        self, heads: Mapping[str, int], *, imagenet: bool = False, dropout: float = 0.5
    ) -> None:
        super().__init__()
        if imagenet:
            source = _imagenet()
        else:
            source = inception_v3(weights=None, aux_logits=False, init_weights=True)
            _calm(source)
        self.trunk = nn.Sequential()
        for name in _TRUNK:
            self.trunk.add_module(name, getattr(source, name))
        self._frozen = imagenet
        if imagenet:
            self.trunk.requires_grad_(requires_grad=False)
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleDict({task: nn.Linear(FEATURES, n) for task, n in heads.items()})
        for head in self.heads.values():
            # Every class as likely as its sisters, until something has been learned.
            nn.init.zeros_(head.get_parameter("weight"))
            nn.init.zeros_(head.get_parameter("bias"))

    def train(self, mode: bool = True) -> Self:
        """Switch to training; a frozen trunk keeps its running statistics, too."""
        super().train(mode)
        if self._frozen:
            self.trunk.eval()
        return self

    def feature_maps(self, x: torch.Tensor) -> torch.Tensor:
        """Output of ``Mixed_7c``: (batch, 1, h, w) -> (batch, 2048, h', w')."""
        maps: torch.Tensor = self.trunk(x.expand(-1, 3, -1, -1))
        return maps

    def classify(self, maps: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits of every task from feature maps: (batch, classes) each."""
        pooled = self.dropout(maps.mean(dim=(2, 3)))
        return {task: head(pooled) for task, head in self.heads.items()}

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits of every task for (batch, 1, h, w)."""
        return self.classify(self.feature_maps(x))
