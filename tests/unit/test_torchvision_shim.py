"""torchvision's own operators are used where they load, and declared where they do not."""

from __future__ import annotations

import subprocess
import sys

import pytest

_MISSING = """
import torch
def fail(path):
    raise OSError("built for another torch")
torch.ops.load_library = fail
from inference import torchvision_shim
import torchvision
assert torchvision_shim.OPERATORS_DECLARED is not None
assert callable(torch.ops.torchvision.nms)
assert torchvision.models.inception_v3(weights=None, init_weights=False) is not None
"""

_PRESENT = """
import torch
# Stands for the compiled library, which registers its operators when it is loaded.
loaded = []
def load(path):
    if not loaded:
        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        loaded.append(library)
torch.ops.load_library = load
from inference import torchvision_shim
assert len(loaded) == 1
assert torchvision_shim.OPERATORS_DECLARED is None
"""


@pytest.mark.parametrize(
    "script", [_MISSING, _PRESENT], ids=["operators missing", "operators load"]
)
def test_operators(script: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
