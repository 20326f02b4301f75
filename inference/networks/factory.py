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
        ``"recognition"``, ``"manifestations"``, ``"streams"``, ``"evidence"`` or ``"domain"``.
    settings
        Keyword arguments of the network; for streams also ``form``, ``"shared"`` or
        ``"separate"``, and for shared ones ``decoder``, ``"deeplab"`` or ``"unet"``.
    imagenet
        Inception-v3 only: start from torchvision's ImageNet weights, trunk frozen.

    Raises
    ------
    ValueError
        For an unknown kind, form or decoder.
    """
    if kind == "recognition":
        from inference.networks.recognition import InceptionRecogniser, LiteRecogniser

        if settings.get("trunk", "inception_v3") == "inception_v3":
            heads = {key: value for key, value in settings.items() if key != "trunk"}
            return InceptionRecogniser(**heads, imagenet=imagenet)
        return LiteRecogniser(**settings)
    if kind == "manifestations":
        from inference.networks.manifestation import MLCNN

        return MLCNN(**settings)
    if kind == "streams":
        from inference.networks.streams import SeparateStreams, SharedStreams, UNetStreams

        rest = dict(settings)
        form, decoder = rest.pop("form"), rest.pop("decoder", "deeplab")
        makers = {
            ("shared", "deeplab"): SharedStreams,
            ("shared", "unet"): UNetStreams,
            ("separate", "deeplab"): SeparateStreams,
        }
        if (form, decoder) not in makers:
            raise ValueError(f"there are no {form!r} streams with the decoder {decoder!r}")
        made: nn.Module = makers[form, decoder](**rest)
        return made
    if kind == "evidence":
        from inference.networks.evidence import EvidenceNetwork

        return EvidenceNetwork(**settings)
    if kind == "domain":
        from inference.networks.domain import DomainNetwork

        return DomainNetwork(**settings)
    raise ValueError(f"unknown kind of network {kind!r}")
