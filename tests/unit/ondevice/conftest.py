"""Every device that there is: the steps are the same on all of them."""

from __future__ import annotations

import pytest
import torch

_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=_CUDA)])
def device(request: pytest.FixtureRequest) -> torch.device:
    """The CPU, and CUDA where it is."""
    return torch.device(request.param)
