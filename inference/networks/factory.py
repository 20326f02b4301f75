"""A network from its plain settings, as recipes and the model manifest hold them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

__all__ = ["make_network"]


def make_network(kind: str, settings: Mapping[str, Any], *, imagenet: bool = False) -> nn.Module:
    """Make a network with random weights.

    Parameters
    ----------
    kind
        ``"recognition"``, ``"manifestations"`` or ``"streams"``.
    settings
        Keyword arguments of the network; for streams also ``form``: ``"shared"`` or
        ``"separate"``.
    imagenet
        Recognition only: start from torchvision's ImageNet weights, trunk frozen.

    Raises
    ------
    ValueError
        For an unknown kind or form.
    """
    if kind == "recognition":
        from inference.networks.recognition import InceptionRecogniser

        return InceptionRecogniser(**settings, imagenet=imagenet)
    if kind == "manifestations":
        from inference.networks.manifestation import MLCNN

        return MLCNN(**settings)
    if kind == "streams":
        from inference.networks.streams import SeparateStreams, SharedStreams

        rest = dict(settings)
        form = rest.pop("form")
        if form == "shared":
            return SharedStreams(**rest)
        if form == "separate":
            return SeparateStreams(**rest)
        raise ValueError(f"streams are 'shared' or 'separate', not {form!r}")
    raise ValueError(f"unknown kind of network {kind!r}")
