"""A calibration is applied as it was fitted, and refused when it would turn the order round."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from inference.calibration import Bin, Calibration, to_probabilities
from inference.findings import Calibrated
from inference.studies.model import Unit
from tests import factories

CURVE = (Bin(0.2, 0.1, 0.0, 0.3, 12, 8), Bin(0.6, 0.5, 0.3, 0.7, 10, 8))
FOUND = Calibration(
    task="covid-2", sha256="ab", data="toys 22", n=22, groups=16, temperature=2.0,
    temperature_low=1.5, temperature_high=2.5, offsets=(-1.0, 0.0), shares=(0.25, 0.75),
    ece_before=0.2, ece_after=0.1, curves=(CURVE, CURVE), reason="because",
)  # fmt: skip


def test_logits_are_divided_and_offset() -> None:
    values = to_probabilities(np.array([[4.0, 2.0]]), FOUND, exclusive=True)
    assert values[0, 0] == pytest.approx(1 / (1 + np.exp(-(4 / 2 - 1 - 2 / 2))))
    assert values.sum() == pytest.approx(1.0)
    alone = replace(FOUND, offsets=(0.0, 0.0))
    values = to_probabilities(np.array([[4.0, -4.0]]), alone, exclusive=False)
    assert values[0] == pytest.approx([1 / (1 + np.exp(-2)), 1 / (1 + np.exp(2))])


def test_without_a_temperature_the_network_speaks_itself() -> None:
    logits = np.array([[900.0, -900.0], [0.3, 0.1]])
    none = replace(FOUND, temperature=None)
    for exclusive in (True, False):
        raw = to_probabilities(logits, exclusive=exclusive)
        assert np.array_equal(to_probabilities(logits, none, exclusive=exclusive), raw)
        assert np.isfinite(raw).all()


def test_bands_are_interpolated_and_held_at_the_ends() -> None:
    def band(value: float) -> tuple[float, float] | None:
        return FOUND.bands(np.array([value, 1 - value]))[0]

    assert band(0.4) == pytest.approx((0.15, 0.5))
    assert band(0.01) == pytest.approx((0.0, 0.3))
    assert band(0.99) == pytest.approx((0.3, 0.7))
    assert band(float("nan")) is None
    assert replace(FOUND, curves=()).bands(np.array([0.5, 0.5])) == (None, None)
    pooled = replace(FOUND, curves=(CURVE,)).bands(np.array([0.2, 0.6, 0.2]))
    assert pooled == (
        pytest.approx((0.0, 0.3)),
        pytest.approx((0.3, 0.7)),
        pytest.approx((0.0, 0.3)),
    )


def test_it_comes_back_from_the_manifest() -> None:
    assert Calibration.from_json(json.loads(json.dumps(asdict(FOUND)))) == FOUND


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("inf"), float("nan")])
def test_a_temperature_that_turns_the_order_round_is_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        replace(FOUND, temperature=temperature)


@pytest.mark.parametrize(("value", "where"), [(0.95, 1), (0.7, 0), (0.5, 0), (0.01, 0), (0.25, 0)])
def test_above_the_last_bin_a_value_may_leave_its_band_and_is_known_to(
    value: float, where: int
) -> None:
    values = np.array([value, 1 - value])
    after = Calibrated(
        study=(value, 1 - value), bands=FOUND.bands(values), per_slice=np.zeros((1, 2), np.float32),
        of_slices=False, shares=FOUND.shares, n=FOUND.n, groups=FOUND.groups,
    )  # fmt: skip
    xray = factories.make_volume(np.zeros((1, 8, 8), np.uint16), modality="DX", unit=Unit.GREY)
    said = replace(factories.make_findings(xray).estimates[0], calibrated=after)
    assert said.beside_band(0) == where
    assert replace(said, calibrated=None).beside_band(0) == 0, "no band, nothing to lie outside of"
    below = replace(after, bands=((0.3, 0.7), None), study=(0.2, 0.8))
    assert replace(said, calibrated=below).beside_band(0) == -1
