"""What is entered in a model store after a training."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from inference.errors import BadInputError
from inference.models import ModelRecord, ModelStore, Split
from inference.networks.factory import make_network
from inference.training.install import architecture, keep_streams
from inference.training.recipe import load_recipe

SETTINGS = {
    "form": "shared", "decoder": "unet", "encoder": "resnet18", "depth": 3,
    "decoder_channels": 32, "streams": {"ggo": 1, "consolidation": 1, "effusion": 1},
}  # fmt: skip


def _record(**changes: object) -> ModelRecord:
    return ModelRecord(
        name="lung", version="0", kind="streams",
        architecture="U-Net, ggo, consolidation, effusion",
        network={**SETTINGS, **changes}, size=64, file="", sha256="", bytes=0, recipe="",
        recipe_sha256="", data="", device="", steps=0, seconds=0.0, split=Split((), (), (), ()),
    )  # fmt: skip


def test_streams_that_are_kept_mark_as_before_and_the_others_are_gone(tmp_path: Path) -> None:
    torch.manual_seed(4)
    network = make_network("streams", SETTINGS).eval()
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    path, record = keep_streams(
        tmp_path / "w.safetensors", _record(), ["consolidation", "ggo"], tmp_path
    )
    assert record.architecture == "U-Net, ggo, consolidation"
    assert record.streams == ("ggo", "consolidation")
    store = ModelStore(tmp_path / "store")
    kept = store.load(store.install(path, record))
    x = torch.randn(1, 1, 64, 64)
    with torch.inference_mode():
        before, after = network(x), kept(x)
    assert set(after) == {"ggo", "consolidation"}, "and no evidence, which needs all lesions"
    for name, values in after.items():
        torch.testing.assert_close(values, before[name])


@pytest.mark.parametrize(
    ("changes", "kept"),
    [({}, ["lungs"]), ({}, []), ({"decoder": "deeplab"}, ["ggo"]), ({"streams": {}}, ["ggo"])],
)
def test_what_cannot_be_kept_is_refused(
    tmp_path: Path, changes: dict[str, object], kept: list[str]
) -> None:
    with pytest.raises(BadInputError, match="--keep names streams"):
        keep_streams(tmp_path / "w.safetensors", _record(**changes), kept, tmp_path)


def test_networks_that_start_from_imagenet_are_named() -> None:
    assert "EfficientNet-Lite0" in architecture(load_recipe("streams-lite"))
    assert architecture(load_recipe("recognition-ct-lite")).startswith("EfficientNet-Lite0, heads")
    assert architecture(load_recipe("recognition-ct")).startswith("Inception-v3, heads")
