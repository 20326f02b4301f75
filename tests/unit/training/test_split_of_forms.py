"""Networks that speak together know what any of them knows: none is scored on its own lessons."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from inference.models import ModelRecord, ModelStore, Split
from inference.networks.factory import make_network
from inference.training.evaluation import segmentation
from inference.training.evaluation.figure import SPLITS, Job, lesion_rows, split_of_all
from inference.training.manifest import read_manifest

STREAMS = {
    "form": "shared", "encoder": "resnet18", "depth": 3, "decoder_channels": 16,
    "streams": {"ggo": 1, "consolidation": 1, "effusion": 1},
}  # fmt: skip
GROUPS = tuple(f"g{i}" for i in range(20))
NARROW = Split((), (), GROUPS[:6], GROUPS[6:10])
"""What the first network learned from, and what choices were made on."""
WIDE = Split((), (), GROUPS[:10], ())
"""The second learned from the validation groups of the first."""


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """A mixed form of two such networks."""
    made = ModelStore(tmp_path / "store")
    torch.manual_seed(1)
    for name, split, changes in (
        ("frame", NARROW, {}),
        ("helper", WIDE, {"decoder": "unet"}),
    ):
        network = {**STREAMS, **changes}
        path = tmp_path / f"{name}.safetensors"
        weights = make_network("streams", network).half().state_dict()
        save_file({k: v.contiguous() for k, v in weights.items()}, path)
        made.install(
            path,
            ModelRecord(
                name=name, version="0", kind="streams", architecture=name, network=network,
                size=64, file="", sha256="", bytes=0, recipe="", recipe_sha256="",
                data="nothing", device="cpu", steps=0, seconds=0.0, split=split,
            ),
        )  # fmt: skip
    return made


def test_the_network_that_knows_a_group_best_decides(store: ModelStore) -> None:
    both = store.records
    assert split_of_all(both, "g0") == "trained on"
    assert split_of_all(both, "g7") == "trained on", "the second learned from it"
    assert split_of_all(both[:1], "g7") == "validation"
    assert split_of_all(both, "g15") == "test"


def test_a_form_is_not_scored_on_groups_that_one_of_its_networks_learned_from(
    store: ModelStore, lesion_folder: Path
) -> None:
    rows = read_manifest(lesion_folder)
    wanted = frozenset(SPLITS[:2])
    assert {r.group for r, _ in lesion_rows(rows, store.records, wanted)} == set(GROUPS[10:])
    job = Job.begin(rows, store, SPLITS[:2], "cpu", None)
    found = segmentation.predict(job)
    assert {r.group for r in found["streams (shared)"].rows} == set(GROUPS[6:])
    mixed = found["streams (mixed)"]
    assert {r.group for r in mixed.rows} == set(GROUPS[10:])
    assert set(mixed.splits.tolist()) == {"test"}
