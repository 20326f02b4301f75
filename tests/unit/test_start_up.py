"""Nothing slow is imported before it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

SLOW = (
    "torch", "torchvision", "timm", "sklearn", "highdicom", "SimpleITK", "openvino", "vtk",
    "vtkmodules", "scipy",
)  # fmt: skip


@pytest.mark.parametrize(
    "module",
    ["viewer.app", "viewer.window", "viewer.command", "viewer.volume3d.view", "inference.cli"],
)
def test_start_up_loads_no_network_library(module: str) -> None:
    """The window and --help appear before torch does; it costs seconds."""
    code = f"import sys, {module}; print(*[name for name in {SLOW!r} if name in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == []
