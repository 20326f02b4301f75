"""The recorded results are of the form that the engine gives today, so that they cannot age."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest

from inference.systems import Context, get_system
from tests import factories
from tests.record import KINDS, recorded

pytestmark = pytest.mark.e2e

VALUES = {"created", "device", "timings", "study", "score", "reasons", "notes", "within", "bands"}
"""Fields that may be others on another machine or day; their kind may not."""


def form(value: Any, name: str = "") -> Any:
    """What a result is made of: names and words as they are, numbers by their kind."""
    if isinstance(value, np.ndarray):
        missing = np.isnan(value).any(axis=-1).tolist() if value.dtype.kind == "f" else None
        return value.dtype.str, value.shape, missing
    if name in VALUES:
        return type(value).__name__
    if is_dataclass(value):
        return {f.name: form(getattr(value, f.name), f.name) for f in fields(value)}
    if isinstance(value, tuple):
        return [form(each) for each in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return value


@pytest.mark.parametrize("kind", KINDS)
def test_the_engine_gives_what_was_recorded(kind: str) -> None:
    known = recorded(kind)
    fresh = get_system().analyse(known.volume, Context(device="cpu"))
    again = "the record is of another form: run python -m tests.record"
    assert form(fresh) == form(known.findings), again
    for one, other in zip(fresh.estimates, known.findings.estimates, strict=True):
        assert one.shown == pytest.approx(other.shown, abs=0.1), again


@pytest.mark.parametrize("kind", KINDS)
def test_the_factories_give_the_same_form(kind: str) -> None:
    """What tests are made with is what the engine makes."""
    known = recorded(kind)
    codes = None
    if known.findings.segments:
        codes = factories.to_codes({s.key: s.mask for s in known.findings.segments})
    rows = {each.task: each.per_slice for each in known.findings.estimates}
    made = factories.make_findings(known.volume, codes, lungs=known.findings.lungs, rows=rows)
    mine, theirs = form(made), form(known.findings)
    assert mine == theirs
