"""Recognisers: one trunk and a linear head a task (El-bana et al., stage 1: Inception-v3).

The paper freezes an ImageNet trunk and replaces the last layer, once for two classes and once for
four; one trunk with both heads is the same network written once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from torch import nn

from inference import torchvision_shim  # noqa: F401 - before torchvision

import timm  # isort: skip
from torchvision.models import Inception_V3_Weights, inception_v3  # isort: skip

__all__ = ["FEATURES", "REGION", "InceptionRecogniser", "LiteRecogniser", "Recogniser"]

FEATURES = 2048
"""Channels of Mixed_7c."""

REGION = 64
"""Side of the grid on which a region is kept; pictures are several times as fine."""

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


class Recogniser(nn.Module):
    """A trunk, global average pooling, dropout and a linear head a task.

    Parameters
    ----------
    trunk
        From (batch, `channels`, h, w) to (batch, `features`, h', w').
    features
        Channels of its last maps, `layer`.
    heads
        Number of classes by task, e.g. ``{"covid-2": 2, "cxr-4": 4}``.
    channels
        Of the picture as the trunk takes it; grey is repeated.
    frozen
        Keep the trunk as it is.
    dropout
        Before the heads.
    region
        Look at a part of the picture only, which `look_at` names and which is kept with the
        weights; the rest reaches no layer, so no class can be told by it.
    """

    layer: ClassVar[str]
    """The maps that `classify` pools, by their name in the network's publication."""
    landmarks: ClassVar[tuple[str, ...]]
    """Some layers of the trunk from the top down, at which the tests of explanations stop."""

    def __init__(
        self,
        trunk: nn.Module,
        features: int,
        heads: Mapping[str, int],
        *,
        channels: int = 1,
        frozen: bool = False,
        dropout: float = 0.5,
        region: bool = False,
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.region: torch.Tensor | None
        self.register_buffer("region", torch.ones(1, 1, REGION, REGION) if region else None)
        self._channels = channels
        self._frozen = frozen
        if frozen:
            self.trunk.requires_grad_(requires_grad=False)
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleDict({task: nn.Linear(features, n) for task, n in heads.items()})
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

    def look_at(self, region: torch.Tensor) -> None:
        """Name the part of the picture that is looked at.

        Parameters
        ----------
        region
            Shape (`REGION`, `REGION`), relative to the picture's sides: 1 inside, 0 outside.

        Raises
        ------
        ValueError
            When this network looks at whole pictures.
        """
        if self.region is None:
            raise ValueError("this network looks at whole pictures")
        self.region.copy_(region.to(self.region))

    def looked_at(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """The part of a picture that is looked at, on a grid of shape (rows, columns).

        Raises
        ------
        ValueError
            When this network looks at whole pictures.
        """
        if self.region is None:
            raise ValueError("this network looks at whole pictures")
        grown = nnf.interpolate(self.region.float(), size=shape, mode="nearest")
        inside: NDArray[np.bool_] = (grown[0, 0] > 0).cpu().numpy()
        return inside

    def feature_maps(self, x: torch.Tensor) -> torch.Tensor:
        """Output of `layer`: (batch, 1, h, w) -> (batch, features, h', w')."""
        if self.region is not None:
            # Pictures are normalised, so what is left out becomes a grey that says nothing.
            x = x * nnf.interpolate(self.region, size=x.shape[-2:], mode="nearest")
        maps: torch.Tensor = self.trunk(x.expand(-1, self._channels, -1, -1))
        return maps

    def classify(self, maps: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits of every task from feature maps: (batch, classes) each."""
        pooled = self.dropout(maps.mean(dim=(2, 3)))
        return {task: head(pooled) for task, head in self.heads.items()}

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits of every task for (batch, 1, h, w)."""
        return self.classify(self.feature_maps(x))


class InceptionRecogniser(Recogniser):
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

    layer = "Mixed_7c"
    landmarks = ("Mixed_7c", "Mixed_7a", "Mixed_6c", "Mixed_5b", "Conv2d_1a_3x3")

    def __init__(
        self, heads: Mapping[str, int], *, imagenet: bool = False, dropout: float = 0.5
    ) -> None:
        if imagenet:
            source = _imagenet()
        else:
            source = inception_v3(weights=None, aux_logits=False, init_weights=True)
            _calm(source)
        trunk = nn.Sequential()
        for name in _TRUNK:
            trunk.add_module(name, getattr(source, name))
        super().__init__(trunk, FEATURES, heads, channels=3, frozen=imagenet, dropout=dropout)


class LiteRecogniser(Recogniser):
    """EfficientNet-Lite up to ``conv_head``, global average pooling, dropout and linear heads.

    It has a sixth of Inception-v3's weights.

    Parameters
    ----------
    heads
        Number of classes by task.
    trunk
        `timm`'s name of it.
    dropout
        Before the heads.
    region
        Look at a part of the picture only, see `Recogniser`.
    """

    layer = "conv_head"
    landmarks = ("conv_head", "stage_5", "stage_3", "stage_1", "conv_stem")

    def __init__(
        self,
        heads: Mapping[str, int],
        trunk: str = "tf_efficientnet_lite0",
        *,
        dropout: float = 0.2,
        region: bool = False,
    ) -> None:
        whole = timm.create_model(trunk, in_chans=1, drop_path_rate=0.0)
        layers = nn.Sequential()
        for name in ("conv_stem", "bn1", "blocks", "conv_head", "bn2"):
            part = whole.get_submodule(name)
            stages = part.named_children() if name == "blocks" else (("", part),)
            for number, stage in stages:
                layers.add_module(f"stage_{number}" if number else name, stage)
        features = whole.get_parameter("classifier.weight").shape[1]
        super().__init__(layers, features, heads, dropout=dropout, region=region)
