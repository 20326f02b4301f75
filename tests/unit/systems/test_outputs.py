"""What a network gives has to be numbers."""

from __future__ import annotations

import pytest
import torch

from inference.errors import AnalysisError
from inference.models import ModelStore
from inference.studies.model import Volume
from inference.systems.base import Context
from inference.systems.elbana import ElBana

CONTEXT = Context(device="cpu", batch_size=4, streams="shared")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["recognition-ct", "manifestations", "streams-shared"])
def test_a_network_that_gives_no_numbers_fails_the_analysis(
    store: ModelStore, chest: Volume, monkeypatch: pytest.MonkeyPatch, name: str, value: float
) -> None:
    """One value is enough, in one slice: in a mask it would have passed for "nothing there"."""
    system = ElBana(store, precision="float32")
    network = system._engine_for(CONTEXT).network(store.find(name))
    forward, calls = network.forward, []

    def broken(x: torch.Tensor) -> dict[str, torch.Tensor] | torch.Tensor:
        calls.append(len(x))
        said = forward(x)
        values = next(iter(said.values())) if isinstance(said, dict) else said
        if len(calls) == 2:
            values.flatten()[-1] = value
        return said

    monkeypatch.setattr(network, "forward", broken)
    with pytest.raises(AnalysisError, match=f"The model {name} computed values that are not num"):
        system.analyse(chest, CONTEXT)
    assert len(calls) == 2
    monkeypatch.undo()
    assert system.analyse(chest, CONTEXT).estimates
