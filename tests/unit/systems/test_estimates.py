"""Calibrated values stand beside the network's own, or it is said why there are none."""

from __future__ import annotations

import numpy as np
import pytest

from inference.calibration import Bin, Calibration
from inference.findings import Estimate
from inference.models import ModelRecord, Split
from inference.systems.elbana.estimates import make_estimate, slice_values
from inference.taxonomy import TASKS

CURVE = (Bin(0.2, 0.2, 0.05, 0.4, 20, 15), Bin(0.8, 0.7, 0.5, 0.9, 20, 15))
INDICES = np.arange(2, 12)


def _record(task: str, *, fitted_to: str = "ab", **changes: object) -> ModelRecord:
    classes = len(TASKS[task].classes)
    values: dict[str, object] = {
        "task": task, "sha256": fitted_to, "data": "toys 40", "n": 40, "groups": 30,
        "temperature": 4.0, "temperature_low": 3.0, "temperature_high": 5.0,
        "offsets": (0.0,) * classes, "shares": (1 / classes,) * classes, "ece_before": 0.2,
        "ece_after": 0.1, "curves": (CURVE,) * classes, "reason": "a test",
    }  # fmt: skip
    return ModelRecord(
        name="m", version="1", kind="recognition", architecture="", network={}, size=32, file="",
        sha256="ab", bytes=0, recipe="", recipe_sha256="", data="", device="", steps=0,
        seconds=0.0, split=Split((), (), (), ()),
        calibrations=(Calibration(**(values | changes)),),  # type: ignore[arg-type]
    )  # fmt: skip


def _estimate(
    task: str, logits: np.ndarray, *, fitted_to: str = "ab", **changes: object
) -> Estimate:
    record = _record(task, fitted_to=fitted_to, **changes)
    indices = np.arange(2, 2 + len(logits))
    return make_estimate(task, logits.astype(np.float32), indices, len(logits) + 4, record)


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def test_both_values_come_from_the_same_slices() -> None:
    z = np.linspace(-4, 6, 10)
    estimate = _estimate("covid-2", np.stack([z, 0 * z], axis=1))
    assert estimate.study[0] == pytest.approx(_sigmoid(z[-3:]).mean(), rel=1e-5)
    assert estimate.per_slice[2:12, 0] == pytest.approx(_sigmoid(z), rel=1e-5)
    assert estimate.shown[0] == pytest.approx(_sigmoid(z[-3:] / 4).mean(), rel=1e-5)
    assert sum(estimate.shown) == pytest.approx(1.0)
    assert estimate.shown_per_slice[2:12, 0] == pytest.approx(_sigmoid(z / 4), rel=1e-5)
    assert np.isnan(estimate.shown_per_slice[[0, 1, 12, 13]]).all()
    assert np.isnan(estimate.per_slice[[0, 1, 12, 13]]).all()


def test_slices_in_which_most_is_marked_stand_for_the_study() -> None:
    """The most suspicious slices of a healthy chest are the errors of the network."""
    z = np.array([0, 9, 9, 9, -1, -2, -3, 0, 0, 0])
    marked = np.array([0, 1, 0, 1, 5, 6, 7, 0, 0, 0], dtype=np.float32)
    logits = np.stack([z, 0 * z], axis=1).astype(np.float32)
    record = ModelRecord(
        name="other", fitted_to={"one": "ab"}, version="1", kind="recognition", architecture="",
        network={}, size=32, file="",
        sha256="ab", bytes=0, recipe="", recipe_sha256="", data="", device="", steps=0,
        seconds=0.0, split=Split((), (), (), ()),
    )  # fmt: skip
    alone = {"one": logits, "other": -logits}
    estimate = make_estimate("covid-2", logits, INDICES, 14, record, alone, marked)
    assert estimate.study[0] == pytest.approx(_sigmoid(z[4:7]).mean(), rel=1e-5)
    assert sum(estimate.study) == pytest.approx(1.0)
    assert "10 analysed slices in which most is marked" in estimate.rule
    one, other = estimate.parts
    assert one.study[0] == pytest.approx(_sigmoid(z[4:7]).mean(), rel=1e-5)
    assert other.study[0] == pytest.approx(_sigmoid(-z[4:7]).mean(), rel=1e-5)
    unmarked = make_estimate("covid-2", logits, INDICES, 14, record, alone)
    assert unmarked.study[0] == pytest.approx(_sigmoid(9), rel=1e-5)
    assert "most suspicious" in unmarked.rule
    assert unmarked.parts[1].study[0] == pytest.approx(_sigmoid(-z[4:7]).mean(), rel=1e-5)


def test_how_many_of_many_slices_stand_for_the_study() -> None:
    """A third for recognition, a tenth for manifestations."""
    z = np.linspace(-6, 6, 60)
    covid = _estimate("covid-2", np.stack([z, 0 * z], axis=1))
    assert covid.study[0] == pytest.approx(_sigmoid(z[-20:]).mean(), rel=1e-5)
    assert "33%" in covid.rule
    seen = _estimate("manifestations", np.stack([z, z[::-1], 0 * z], axis=1))
    assert seen.study[:2] == pytest.approx([_sigmoid(z[-6:]).mean()] * 2, rel=1e-5)
    assert "10%" in seen.rule


@pytest.mark.parametrize("task", list(TASKS))
def test_early_values_are_those_of_the_whole_result(task: str) -> None:
    """Also calibrated, where the whole result is."""
    shape = (10, len(TASKS[task].classes))
    logits = np.random.default_rng(0).normal(0, 3, shape).astype(np.float32)
    record = _record(task)
    early = slice_values(task, logits[:4], record)
    whole = make_estimate(task, logits, INDICES, 14, record)
    assert early.calibrated
    assert whole.calibrated is not None
    np.testing.assert_allclose(early.values, whole.shown_per_slice[2:6], rtol=1e-5)
    assert not np.allclose(early.values, whole.per_slice[2:6], atol=0.01)


def test_of_many_slices_the_interval_is_that_of_one() -> None:
    estimate = _estimate("covid-2", np.zeros((10, 2)))
    assert estimate.calibrated.of_slices
    assert estimate.bands[0] == pytest.approx((0.275, 0.65))
    assert estimate.calibrated.groups == 30
    assert "Calibrated on 40 pictures of 30 groups" in estimate.calibration
    assert "toys 40" in estimate.calibration


def test_a_single_picture_has_an_interval_of_its_own() -> None:
    logits = np.array([[2.0, 1.0, 0.0, -1.0]])
    estimate = _estimate("cxr-4", logits, offsets=(-1.0, 0.5, 0.2, 0.0))
    expected = np.exp(logits[0] / 4 + (-1.0, 0.5, 0.2, 0.0))
    assert estimate.shown == pytest.approx(expected / expected.sum(), rel=1e-5)
    assert not estimate.calibrated.of_slices
    assert len(estimate.bands) == 4


def test_each_manifestation_chooses_its_own_slices() -> None:
    logits = np.random.default_rng(0).normal(0, 3, (10, 3))
    estimate = _estimate("manifestations", logits)
    highest = np.sort(logits, axis=0)[-3:]
    assert estimate.study == pytest.approx(_sigmoid(highest).mean(axis=0), rel=1e-5)
    assert estimate.shown == pytest.approx(_sigmoid(highest / 4).mean(axis=0), rel=1e-5)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fitted_to": "cd"}, "the calibration was fitted to other weights"),
        ({"temperature": None, "reason": "6 groups are too few"}, "6 groups are too few"),
    ],
)
def test_uncalibrated_values_are_said_to_be_so(changes: dict[str, object], words: str) -> None:
    estimate = _estimate("manifestations", np.ones((4, 3)), **changes)  # type: ignore[arg-type]
    assert estimate.calibrated is None
    assert estimate.shown == estimate.study
    assert estimate.bands == (None, None, None)
    assert estimate.calibration.startswith("Not calibrated: ")
    assert words in estimate.calibration
