"""Metrics have their standard formulas, and intervals know their groups."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as skm

from inference.training.metrics import (
    bootstrap,
    classification_metrics,
    dice,
    multiclass_metrics,
)


def test_two_class_metrics_are_sklearns() -> None:
    chooser = np.random.default_rng(0)
    truth = chooser.random(80) < 0.4
    probability = np.clip(truth * 0.3 + chooser.random(80) * 0.7, 0, 1)
    found = classification_metrics(truth, probability)
    called = probability > 0.5
    assert found["AUC"] == pytest.approx(skm.roc_auc_score(truth, probability))
    assert found["accuracy"] == pytest.approx(skm.accuracy_score(truth, called))
    assert found["sensitivity"] == pytest.approx(skm.recall_score(truth, called))
    assert found["precision"] == pytest.approx(skm.precision_score(truth, called))
    assert found["F1"] == pytest.approx(skm.f1_score(truth, called))
    assert found["MCC"] == pytest.approx(skm.matthews_corrcoef(truth, called))
    assert found["FPR"] == pytest.approx(1 - found["specificity"])


def test_undefined_metrics_are_nan_and_not_zero() -> None:
    found = classification_metrics(np.array([True, True]), np.array([0.9, 0.2]))
    assert np.isnan(found["AUC"])
    assert np.isnan(found["specificity"])
    assert found["sensitivity"] == 0.5


def test_four_class_metrics() -> None:
    truth = np.array([0, 1, 2, 3])
    perfect = multiclass_metrics(truth, np.eye(4))
    assert set(perfect.values()) == {1.0}
    wrong = multiclass_metrics(truth, np.roll(np.eye(4), 1, axis=1))
    assert wrong["accuracy"] == 0.0


def test_dice_counts() -> None:
    assert dice(2, 4, 4) == 0.5
    assert dice(0, 0, 0) == 1.0
    assert dice(0, 3, 0) == 0.0


def test_bootstrap_resamples_groups_and_not_pictures() -> None:
    values = np.repeat([0.0, 1.0], 50)
    one_each = [str(i) for i in range(100)]
    two_groups = ["a"] * 50 + ["b"] * 50

    def mean(indices: np.ndarray) -> dict[str, float]:
        return {"mean": float(values[indices].mean())}

    narrow = bootstrap(mean, one_each)["mean"]
    wide = bootstrap(mean, two_groups)["mean"]
    assert narrow.value == wide.value == 0.5
    assert narrow.high - narrow.low < 0.3
    assert (wide.low, wide.high) == (0.0, 1.0)


def test_one_group_has_no_interval() -> None:
    only = bootstrap(lambda i: {"n": float(len(i))}, ["a"] * 5)["n"]
    assert only.value == 5.0
    assert np.isnan(only.low)
    assert np.isnan(only.high)
