"""Make torchvision importable beside a torch that its compiled operators were not built for.

A CPU build of torch next to a CUDA build of torchvision fails on import with "operator
torchvision::nms does not exist". Import this module before anything that imports torchvision
(timm and segmentation-models-pytorch do). Where the compiled operators load, they are used;
where they do not, the two operators that torchvision registers fake kernels for are declared, and
everything but box suppression (which SecondRead does not use) works.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import torch

__all__ = ["OPERATORS_DECLARED", "prepare"]

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def _compiled_libraries() -> Iterator[Path]:
    spec = importlib.util.find_spec("torchvision")
    if spec is not None and spec.origin is not None:
        yield from sorted(Path(spec.origin).parent.glob("_C*.so"))
        yield from sorted(Path(spec.origin).parent.glob("_C*.pyd"))


def prepare() -> torch.library.Library | None:
    """Load torchvision's compiled operators, or declare those its import needs.

    Returns
    -------
    torch.library.Library or None
        The library that holds the declarations, which lives as long as it is referenced; None
        when the compiled operators loaded or were there already.
    """
    for library in _compiled_libraries():
        try:
            torch.ops.load_library(str(library))
        except OSError:
            continue
    if hasattr(torch.ops.torchvision, "nms"):
        return None
    declared = torch.library.Library("torchvision", "DEF")
    for schema in _SCHEMAS:
        declared.define(schema)
    return declared


OPERATORS_DECLARED = prepare()
"""Keeps the declarations alive; None where torchvision's own operators loaded."""
