"""A store of small networks with random weights, and a phantom with lungs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from inference.models import ModelRecord, ModelStore, Split
from inference.networks.factory import make_network
from inference.studies.model import Unit, Volume
from tests import factories

NETWORKS = {
    "recognition": ("recognition", 96, {"heads": {"covid-2": 2, "cxr-4": 4}}),
    "recognition-ct": ("recognition", 96, {"heads": {"covid-2": 2}}),
    "recognition-other": (
        "recognition", 64,
        {"trunk": "tf_efficientnet_lite0", "heads": {"covid-2": 2, "cxr-4": 4}},
    ),
    "manifestations": ("manifestations", 64, {"size": 64, "blocks": 2, "kernels": 4}),
    "streams-shared": (
        "streams", 64,
        {"form": "shared", "encoder": "resnet18", "depth": 3, "decoder_channels": 8,
         "streams": {"ggo": 1, "consolidation": 1, "effusion": 1}},
    ),
    "streams-lung": (
        "streams", 96,
        {"form": "shared", "decoder": "unet", "encoder": "resnet18", "depth": 3,
         "decoder_channels": 32, "streams": {"ggo": 1, "consolidation": 1}},
    ),
    **{
        f"stream-{name}": (
            "streams", 96,
            {"form": "separate", "encoder": "resnet18", "depth": 3, "decoder_channels": 8,
             "streams": {name: 4 if name == "all" else 1}},
        )
        for name in ("ggo", "consolidation", "effusion", "all")
    },
}  # fmt: skip


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    """Random weights for every form."""
    folder = tmp_path_factory.mktemp("models")
    made = ModelStore(folder / "store")
    torch.manual_seed(0)
    for name, (kind, size, settings) in NETWORKS.items():
        network = make_network(kind, settings)
        for name_, parameter in network.named_parameters():
            if name_.startswith("heads.") and parameter.ndim == 2:  # a fresh head says nothing
                torch.nn.init.normal_(parameter, std=0.02)
        weights = folder / f"{name}.safetensors"
        save_file({k: v.contiguous() for k, v in network.half().state_dict().items()}, weights)
        made.install(
            weights,
            ModelRecord(
                name=name, version="0", kind=kind, architecture=name, network=settings, size=size,
                file="", sha256="", bytes=0, recipe="", recipe_sha256="", data="nothing",
                device="cpu", steps=0, seconds=0.0, split=Split((), (), ("seen",), ()),
            ),
        )  # fmt: skip
    return made


def _phantom(slices: int = 12) -> np.ndarray:
    rows, columns = np.ogrid[:128, :128]
    body = ((rows - 64) / 50) ** 2 + ((columns - 64) / 58) ** 2 < 1
    array = np.full((slices, 128, 128), -1000, dtype=np.int16)
    array[:, body] = 40
    for centre in (40, 88):
        lung = ((rows - 64) / 30) ** 2 + ((columns - centre) / 16) ** 2 < 1
        array[2:-2, lung] = -850
    array[:, 120:123] = 200  # the table
    array[:, 125:] = -900
    return array


@pytest.fixture
def chest() -> Volume:
    """12 slices of a body with two lungs in all but the two slices at either end."""
    affine = np.diag([3.0, 3.0, 10.0, 1.0])
    affine[:3, 3] = (-190, -190, -60)
    return factories.make_volume(_phantom(), affine)


@pytest.fixture
def xray() -> Volume:
    """One X-ray of clouds: noise alone would be refused."""
    noise = np.random.default_rng(0).uniform(0, 4096, (120, 100))
    array = cv2.GaussianBlur(noise, (0, 0), 2.0).astype(np.uint16)[np.newaxis]
    return factories.make_volume(
        array, np.eye(4), unit=Unit.GREY, modality="DX", has_geometry=False,
        has_orientation=False, series_uid="1.2.4",
    )  # fmt: skip
