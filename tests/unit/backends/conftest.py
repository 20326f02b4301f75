"""A store of one tiny network with random weights, and pictures for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from inference.models import ModelRecord, ModelStore, Split
from inference.networks.factory import make_network

SIZE = 32
SETTINGS = {"size": SIZE, "blocks": 2, "kernels": 4}


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """Manifestations of random weights."""
    made = ModelStore(tmp_path / "store")
    torch.manual_seed(0)
    network = make_network("manifestations", SETTINGS)
    weights = tmp_path / "manifestations.safetensors"
    save_file(network.half().state_dict(), weights)
    made.install(
        weights,
        ModelRecord(
            name="manifestations", version="0", kind="manifestations", architecture="tiny",
            network=SETTINGS, size=SIZE, file="", sha256="", bytes=0, recipe="", recipe_sha256="",
            data="nothing", device="cpu", steps=0, seconds=0.0, split=Split((), (), ("seen",), ()),
        ),
    )  # fmt: skip
    return made


@pytest.fixture
def record(store: ModelStore) -> ModelRecord:
    """The one model of the store."""
    return store.find("manifestations")


@pytest.fixture
def pictures() -> np.ndarray:
    """Five smooth pictures, (5, SIZE, SIZE) uint8."""
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (5, 4, 4), dtype=np.uint8)
    return coarse.repeat(SIZE // 4, 1).repeat(SIZE // 4, 2)
