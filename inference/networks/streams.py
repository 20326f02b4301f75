"""DeepLab-v3+ streams: one network each, or one encoder with a decoder each (El-bana, stage 3).

The paper's encoder is the aligned Xception-65 (`timm`'s ``xception65``), output stride 16, atrous
rates 6/12/18, low-level features at stride 4 brought to 48 channels, decoder up-sampling by four
twice. The same frame takes any encoder of segmentation-models-pytorch.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import nn

from inference import torchvision_shim  # noqa: F401 - before torchvision
from inference.networks.evidence import EVIDENCE, described

import segmentation_models_pytorch as smp  # isort: skip

__all__ = ["XCEPTION65", "SeparateStreams", "SharedStreams", "UNetStreams"]

XCEPTION65 = "tu-xception65"
"""The paper's encoder."""

RATES = (6, 12, 18)


def _with_evidence(
    logits: dict[str, torch.Tensor], features: torch.Tensor, *, training: bool
) -> dict[str, torch.Tensor]:
    """Logits by stream, and beside them what `described` makes of them; not while learning."""
    row = None if training else described(logits, features)
    return logits if row is None else {**logits, EVIDENCE: row}


def _without_last_stage(network: nn.Module, depth: int) -> None:
    """Drop a stage that is never reached: its weights would only fill the file."""
    body = network.get_submodule("encoder")
    if depth < 5 and hasattr(body, "layer4"):
        body.layer4 = nn.Identity()


def _deeplab(encoder: str, depth: int, decoder_channels: int, classes: int) -> nn.Module:
    network: nn.Module = smp.DeepLabV3Plus(
        encoder_name=encoder,
        encoder_depth=depth,
        encoder_weights=None,
        encoder_output_stride=16,
        decoder_atrous_rates=RATES,
        decoder_channels=decoder_channels,
        in_channels=1,
        classes=classes,
    )
    _without_last_stage(network, depth)
    return network


class SeparateStreams(nn.Module):
    """One whole DeepLab-v3+ a stream, as the paper has it.

    Parameters
    ----------
    streams
        Output channels by stream name, e.g. ``{"ggo": 1, "all": 4}``.
    encoder
        Name in segmentation-models-pytorch; `XCEPTION65` is the paper's.
    depth
        Encoder stages used; 5 is the whole encoder.
    decoder_channels
        Width of the atrous pyramid and of the decoder; 256 in the paper.
    """

    def __init__(
        self,
        streams: Mapping[str, int],
        encoder: str = XCEPTION65,
        depth: int = 5,
        decoder_channels: int = 256,
    ) -> None:
        super().__init__()
        self.networks = nn.ModuleDict(
            {
                name: _deeplab(encoder, depth, decoder_channels, channels)
                for name, channels in streams.items()
            }
        )

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits (batch, channels, h, w) by stream for (batch, 1, h, w); h, w multiples of 16."""
        return {name: network(x) for name, network in self.networks.items()}


class SharedStreams(nn.Module):
    """One encoder; a DeepLab-v3+ decoder and head a stream.

    Parameters are those of `SeparateStreams`.
    """

    def __init__(
        self,
        streams: Mapping[str, int],
        encoder: str = XCEPTION65,
        depth: int = 5,
        decoder_channels: int = 256,
    ) -> None:
        super().__init__()
        decoders: dict[str, nn.Module] = {}
        heads: dict[str, nn.Module] = {}
        shared: nn.Module | None = None
        for name, channels in streams.items():
            network = _deeplab(encoder, depth, decoder_channels, channels)
            shared = network.get_submodule("encoder") if shared is None else shared
            decoders[name] = network.get_submodule("decoder")
            heads[name] = copy.deepcopy(network.get_submodule("segmentation_head"))
        if shared is None:
            raise ValueError("name at least one stream")
        self.encoder = shared
        self.decoders = nn.ModuleDict(decoders)
        self.heads = nn.ModuleDict(heads)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits (batch, channels, h, w) by stream for (batch, 1, h, w); h, w multiples of 16.

        In evaluation mode also `EVIDENCE`, (batch, k), as `described`.
        """
        features = self.encoder(x)
        logits = {
            name: self.heads[name](decoder(features)) for name, decoder in self.decoders.items()
        }
        return _with_evidence(logits, features[-1], training=self.training)


class UNetStreams(nn.Module):
    """One U-Net with a head a stream: finer than DeepLab-v3+, whose map has a quarter of the side.

    Thin lesions, as crescents of effusion are, stand in a pixel or two of DeepLab's map. The
    encoder and its decoder are those of segmentation-models-pytorch (Ronneberger et al. 2015).

    Parameters
    ----------
    streams
        Output channels by stream name.
    encoder
        Name in segmentation-models-pytorch.
    depth
        Encoder stages used; 5 is the whole encoder.
    decoder_channels
        Width of the decoder where it starts; each stage has half of the one before, at least 16.
    """

    def __init__(
        self,
        streams: Mapping[str, int],
        encoder: str = "resnet18",
        depth: int = 5,
        decoder_channels: int = 256,
    ) -> None:
        super().__init__()
        if not streams:
            raise ValueError("name at least one stream")
        widths = [max(16, decoder_channels >> stage) for stage in range(depth)]
        network: nn.Module = smp.Unet(
            encoder_name=encoder,
            encoder_depth=depth,
            encoder_weights=None,
            decoder_channels=widths,
            in_channels=1,
            classes=1,
        )
        _without_last_stage(network, depth)
        self.encoder = network.get_submodule("encoder")
        self.decoder = network.get_submodule("decoder")
        self.heads = nn.ModuleDict(
            {
                name: nn.Conv2d(widths[-1], channels, 3, padding=1)
                for name, channels in streams.items()
            }
        )

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits (batch, channels, h, w) by stream for (batch, 1, h, w); h, w multiples of 32.

        In evaluation mode also `EVIDENCE`, (batch, k), as `described`.
        """
        features = self.encoder(x)
        decoded = self.decoder(features)
        logits = {name: head(decoded) for name, head in self.heads.items()}
        return _with_evidence(logits, features[-1], training=self.training)
