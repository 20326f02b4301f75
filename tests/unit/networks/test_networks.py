"""The networks are those that the papers draw."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from inference.networks import recognition
from inference.networks.evidence import EVIDENCE
from inference.networks.factory import make_network
from inference.networks.manifestation import MLCNN
from inference.networks.recognition import (
    FEATURES,
    REGION,
    InceptionRecogniser,
    LiteRecogniser,
)
from inference.networks.streams import SeparateStreams, SharedStreams, UNetStreams

LIGHT = {"encoder": "resnet18", "depth": 3, "decoder_channels": 16}


def _millions(network: nn.Module) -> float:
    return sum(p.numel() for p in network.parameters()) / 1e6


def test_xception65_is_the_papers_encoder() -> None:
    network = SeparateStreams({"ggo": 1}).eval()
    assert _millions(network) == pytest.approx(41.0, abs=0.3)
    deeplab = network.networks["ggo"]
    with torch.inference_mode():
        features = deeplab.encoder(torch.zeros(1, 1, 64, 64))
        logits = network(torch.zeros(1, 1, 64, 64))["ggo"]
    assert features[2].shape[1:] == (256, 16, 16), "low-level features: stride 4, 256 channels"
    assert features[-1].shape[1:] == (2048, 4, 4), "output stride 16"
    assert logits.shape == (1, 1, 64, 64)
    rates = {m.dilation[0] for m in deeplab.decoder.aspp.modules() if isinstance(m, nn.Conv2d)}
    assert rates == {1, 6, 12, 18}
    low = [m for m in deeplab.decoder.block1.modules() if isinstance(m, nn.Conv2d)]
    assert (low[0].in_channels, low[0].out_channels, low[0].kernel_size) == (256, 48, (1, 1))


def test_shared_form_has_one_encoder_and_a_head_each() -> None:
    streams = {"ggo": 1, "consolidation": 1, "effusion": 1}
    shared = SharedStreams(streams, **LIGHT)
    separate = SeparateStreams(streams, **LIGHT)
    assert _millions(shared) < 0.6 * _millions(separate)
    x = torch.randn(2, 1, 64, 64)
    for network in (shared, separate):
        output = network.eval()(x)
        maps = {k: tuple(v.shape) for k, v in output.items() if k != EVIDENCE}
        assert maps == dict.fromkeys(streams, (2, 1, 64, 64))


def test_unused_encoder_stages_are_not_kept() -> None:
    network = SharedStreams({"ggo": 1}, **LIGHT).train()
    network(torch.randn(2, 1, 64, 64))["ggo"].mean().backward()
    unused = [n for n, p in network.named_parameters() if "layer4" in n]
    assert not unused


def test_streams_need_a_name() -> None:
    for kind in (SharedStreams, UNetStreams):
        with pytest.raises(ValueError, match="at least one stream"):
            kind({}, **LIGHT)


def test_u_net_has_one_trunk_at_full_size_and_a_head_a_stream() -> None:
    settings = {"form": "shared", "decoder": "unet", "encoder": "resnet18", "depth": 4}
    streams = {"ggo": 1, "all": 4}
    network = make_network("streams", settings | {"streams": streams, "decoder_channels": 32})
    assert isinstance(network, UNetStreams)
    output = network(torch.randn(2, 1, 64, 64))
    assert {k: tuple(v.shape) for k, v in output.items()} == {
        "ggo": (2, 1, 64, 64),
        "all": (2, 4, 64, 64),
    }
    (output["ggo"].mean() + output["all"].mean()).backward()
    assert all(p.grad is not None for p in network.parameters())
    assert not [n for n, _ in network.named_parameters() if "layer4" in n]


def test_ml_cnn_is_laid_out_as_in_the_paper() -> None:
    network = MLCNN(size=64, blocks=4, kernels=8)
    kinds = [type(m) for m in network.blocks]
    assert kinds == [nn.Conv2d, nn.ELU, nn.MaxPool2d, nn.Dropout] * 4
    assert {m.kernel_size for m in network.blocks if isinstance(m, nn.Conv2d)} == {(5, 5)}
    assert {m.p for m in network.blocks if isinstance(m, nn.Dropout)} == {0.25}
    widths = [m.out_features for m in network.dense if isinstance(m, nn.Linear)]
    assert widths == [128, 64, 3]
    assert {m.p for m in network.dense if isinstance(m, nn.Dropout)} == {0.5}
    assert network(torch.zeros(2, 1, 64, 64)).shape == (2, 3)


def test_ml_cnn_refuses_a_size_that_does_not_divide() -> None:
    with pytest.raises(ValueError, match="multiple of 16"):
        MLCNN(size=100)


def test_inception_has_a_head_a_task() -> None:
    network = InceptionRecogniser({"covid-2": 2, "cxr-4": 4}).eval()
    with torch.inference_mode():
        maps = network.feature_maps(torch.zeros(1, 1, 96, 96))
        output = network.classify(maps)
    assert maps.shape[1] == FEATURES
    assert {k: v.shape[1] for k, v in output.items()} == {"covid-2": 2, "cxr-4": 4}


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("poem", {}, "unknown kind"),
        ("streams", {"form": "both"}, "no 'both' streams"),
        ("streams", {"form": "separate", "decoder": "unet"}, "with the decoder 'unet'"),
    ],
)
def test_factory_refuses_the_unknown(kind: str, settings: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_network(kind, settings)


def test_imagenet_weights_are_loaded_without_pickle_and_frozen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stands for the download, whose file would be 100 MB."""
    torch.manual_seed(1)
    published = recognition.inception_v3(weights=None, aux_logits=True, init_weights=False)
    asked: list[dict[str, object]] = []

    def download(url: str, **settings: object) -> dict[str, torch.Tensor]:
        asked.append({"url": url, **settings})
        return published.state_dict()

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", download)
    network = InceptionRecogniser({"covid-2": 2}, imagenet=True).train()
    assert asked[0]["weights_only"] is True
    assert asked[0]["check_hash"] is True
    assert [n for n, p in network.named_parameters() if p.requires_grad] == [
        "heads.covid-2.weight",
        "heads.covid-2.bias",
    ]
    before = network.trunk.state_dict()["Mixed_7c.branch1x1.bn.running_mean"].clone()
    x = torch.rand(2, 1, 96, 96)
    network((x - 0.5) / 0.25)
    after = network.trunk.state_dict()["Mixed_7c.branch1x1.bn.running_mean"]
    assert torch.equal(before, after), "a frozen trunk keeps its statistics"
    published.eval()
    with torch.inference_mode():
        mine = network.eval().feature_maps((x - 0.5) / 0.25)
        theirs: list[torch.Tensor] = []
        published.Mixed_7c.register_forward_hook(lambda *a: theirs.append(a[2]))
        published(((x - 0.5) / 0.5).expand(-1, 3, -1, -1))
    assert torch.allclose(mine, theirs[0], atol=1e-4)


def test_a_fresh_inception_starts_calm() -> None:
    """Its gradients explode with depth far less than those of torchvision's start."""

    def explosion(network: InceptionRecogniser) -> float:
        logits = network.train()(torch.randn(4, 1, 96, 96))["covid-2"]
        nn.functional.cross_entropy(logits, torch.tensor([0, 1, 0, 1])).backward()
        first, last = (
            network.get_parameter(f"trunk.{name}.conv.weight")
            for name in ("Conv2d_1a_3x3", "Mixed_7c.branch1x1")
        )
        ratio = (first.grad.norm() / first.norm()) / (last.grad.norm() / last.norm())
        return float(ratio.detach())

    torch.manual_seed(2)
    calm = InceptionRecogniser({"covid-2": 2}, dropout=0.0)
    nn.init.normal_(calm.heads["covid-2"].weight, std=0.02)
    plain = copy.deepcopy(calm)
    for module in plain.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.zeros_(module.bias)
    assert explosion(calm) < 0.2 * explosion(plain)


def test_what_lies_outside_its_region_tells_a_recogniser_nothing() -> None:
    torch.manual_seed(0)
    settings = {"trunk": "tf_efficientnet_lite0", "heads": {"covid-2": 2}, "region": True}
    network = make_network("recognition", settings).eval()
    assert isinstance(network, LiteRecogniser)
    nn.init.normal_(network.heads["covid-2"].get_parameter("weight"))
    region = torch.zeros(REGION, REGION)
    region[16:48, 16:48] = 1
    picture = torch.randn(1, 1, 96, 96)
    with torch.no_grad():
        assert not torch.equal(network(picture)["covid-2"], network(picture.flip(2))["covid-2"])
        network.look_at(region)
        outside, inside = picture.clone(), picture.clone()
        outside[..., :24, :] += 3
        inside[..., 40:50, 40:50] += 3
        said = network(picture)["covid-2"]
        assert torch.equal(network(outside)["covid-2"], said)
        assert not torch.equal(network(inside)["covid-2"], said)
    # The region is kept with the weights, and stands in no other network.
    again = make_network("recognition", settings).eval()
    again.load_state_dict(network.state_dict())
    with torch.no_grad():
        assert torch.equal(again(picture)["covid-2"], said)
    whole = make_network("recognition", {**settings, "region": False})
    assert "region" not in whole.state_dict()
    with pytest.raises(ValueError, match="whole pictures"):
        whole.look_at(region)
