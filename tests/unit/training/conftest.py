"""Tiny data folders with a manifest, and recipes for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from torch import nn

from inference.networks.recognition import Recogniser

TINY_RECIPE = """
name = "tiny"
kind = "streams"
seed = 1
size = 64
steps = 2
batch = 4
learning_rate = 1e-3

[network]
form = "shared"
encoder = "resnet18"
depth = 3
decoder_channels = 8
streams = { ggo = 1, consolidation = 1, effusion = 1 }

[data]
train_folds = [0, 1, 2]
validation_folds = [3]
"""

HEADER = "path,role,image_path,task,source,modality,label,split_group\n"


def _blob(shape: int, centre: tuple[int, int], radius: int) -> np.ndarray:
    rows, columns = np.ogrid[:shape, :shape]
    return (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 <= radius**2


@pytest.fixture(scope="session")
def tiny_recipe() -> str:
    """TOML of streams that two steps are done with."""
    return TINY_RECIPE


@pytest.fixture(scope="session")
def lesion_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 slices of 20 groups; GGO is a grey disc, consolidation a white one, effusion a band."""
    folder = tmp_path_factory.mktemp("lesions")
    chooser = np.random.default_rng(3)
    lines = [HEADER]
    for index in range(40):
        picture = chooser.normal(50, 8, (64, 64))
        mask = np.zeros((64, 64), dtype=np.uint8)
        names = []
        if index % 4 != 3:
            disc = _blob(64, tuple(chooser.integers(16, 40, 2)), 9)
            picture[disc] += 70
            mask[disc] = 1
            names.append("ggo")
        if index % 3 == 0:
            disc = _blob(64, tuple(chooser.integers(16, 40, 2)), 7)
            picture[disc] = 235
            mask[disc] = 2
            names.append("consolidation")
        if index % 2 == 0:
            picture[54:60] = 170
            mask[54:60] = 3
            names.append("effusion")
        label, group = "+".join(names) or "none", f"g{index // 2}"
        cv2.imwrite(str(folder / f"i{index}.png"), np.clip(picture, 0, 255).astype(np.uint8))
        cv2.imwrite(str(folder / f"m{index}.png"), mask)
        tail = f"ct_segmentation,toy,CT,{label},{group}\n"
        lines.append(f"i{index}.png,image,,{tail}")
        lines.append(f"m{index}.png,mask,i{index}.png,{tail}")
    (folder / "manifest.csv").write_text("".join(lines))
    return folder


@pytest.fixture(scope="session")
def xray_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 X-rays of 40 groups: COVID-19 has a bright disc, the others have not."""
    folder = tmp_path_factory.mktemp("xrays")
    chooser = np.random.default_rng(4)
    lines = [HEADER]
    for index in range(80):
        label = ("covid19", "normal", "covid19", "viral", "bacterial")[index % 5]
        picture = chooser.normal(90, 10, (96, 96))
        if label == "covid19":
            picture[_blob(96, tuple(chooser.integers(30, 66, 2)), 20)] = 220
        cv2.imwrite(str(folder / f"x{index}.png"), np.clip(picture, 0, 255).astype(np.uint8))
        lines.append(f"x{index}.png,image,,cxr_classification,toy,CXR,{label},g{index // 2}\n")
    (folder / "manifest.csv").write_text("".join(lines))
    return folder


@pytest.fixture
def write_manifest(tmp_path: Path) -> Callable[[str], Path]:
    """Write a manifest with these lines below the header."""

    def write(lines: str, header: str = HEADER) -> Path:
        (tmp_path / "manifest.csv").write_text(header + lines)
        return tmp_path

    return write


class _Small(Recogniser):
    """The recogniser's frame with a trunk of three convolutions, so that it learns in a second."""

    layer = "third"
    landmarks = ("third", "second", "first")

    def __init__(self) -> None:
        trunk = nn.Sequential()
        for name, before in (("first", 3), ("second", 12), ("third", 12)):
            trunk.add_module(name, nn.Conv2d(before, 12, 5, padding=2))
            trunk.add_module(f"{name}-relu", nn.ReLU())
        super().__init__(trunk, 12, {"covid-2": 2}, channels=3, dropout=0.0)
        for head in self.heads.values():
            nn.init.normal_(head.get_parameter("weight"), std=0.3)


@pytest.fixture(scope="session")
def make_small_recogniser() -> Callable[[], Recogniser]:
    """Make a small recogniser with the layers heads, third, second and first."""
    return _Small
