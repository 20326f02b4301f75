"""Grad-CAM at Mixed_7c is the class activation map, since only pooling and one layer follow."""

from __future__ import annotations

import pytest
import torch

from inference.explain import grad_cam
from inference.networks.recognition import InceptionRecogniser


@pytest.mark.parametrize(("task", "index"), [("covid-2", 0), ("cxr-4", 3)])
def test_grad_cam_equals_cam(task: str, index: int) -> None:
    torch.manual_seed(3)
    network = InceptionRecogniser({"covid-2": 2, "cxr-4": 4}).eval()
    for head in network.heads.values():
        torch.nn.init.normal_(head.weight, std=0.02)
    x = torch.randn(1, 1, 139, 139)
    heat = torch.from_numpy(grad_cam(network, x, task, index))
    with torch.inference_mode():
        maps = network.feature_maps(x)[0]
        weights = network.heads[task].weight[index]
        cam = torch.relu((weights[:, None, None] * maps).sum(dim=0))
    oracle = cam / cam.max()
    assert float((heat - oracle).norm() / oracle.norm()) < 1e-4


def test_no_evidence_is_an_empty_map() -> None:
    network = InceptionRecogniser({"covid-2": 2}).eval()
    torch.nn.init.zeros_(network.heads["covid-2"].weight)
    heat = grad_cam(network, torch.randn(1, 1, 96, 96), "covid-2", 0)
    assert heat.max() == 0.0
