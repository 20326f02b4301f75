"""Metrics have their standard formulas, and intervals know their groups."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as skm

from inference.training.metrics import (
    area_under_roc,
    bootstrap,
    classification_metrics,
    confusion,
    multiclass_metrics,
    roc_points,
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


def test_ties_count_half_as_in_sklearn() -> None:
    truth = np.array([True, False, True, False, True])
    scores = np.array([0.5, 0.5, 0.9, 0.1, 0.1])
    assert area_under_roc(truth, scores) == pytest.approx(skm.roc_auc_score(truth, scores))


def test_roc_points_lie_on_sklearns_curve() -> None:
    chooser = np.random.default_rng(1)
    truth = chooser.random(60) < 0.5
    scores = truth * 0.2 + chooser.integers(0, 20, 60) / 20
    fpr, tpr, _ = skm.roc_curve(truth, scores, drop_intermediate=False)
    rates = (0.0, 0.1, 0.3, 1.0)
    for rate, value in zip(rates, roc_points(truth, scores, rates).values(), strict=True):
        assert value == pytest.approx(tpr[fpr <= rate].max())
    assert all(np.isnan(list(roc_points(np.ones(4, bool), scores[:4]).values())))


def test_several_class_metrics_are_sklearns() -> None:
    chooser = np.random.default_rng(2)
    truth = chooser.integers(0, 4, 90)
    probabilities = chooser.dirichlet(np.ones(4), 90) + 0.3 * np.eye(4)[truth]
    called = probabilities.argmax(axis=1)
    found = multiclass_metrics(truth, probabilities)
    precision, recall, f1, _ = skm.precision_recall_fscore_support(truth, called, average="macro")
    assert found["accuracy"] == pytest.approx(skm.accuracy_score(truth, called))
    assert found["mean precision"] == pytest.approx(precision)
    assert found["mean sensitivity"] == pytest.approx(recall)
    assert found["mean F1"] == pytest.approx(f1)
    assert found["MCC"] == pytest.approx(skm.matthews_corrcoef(truth, called))
    assert found["mean AUC"] == pytest.approx(
        np.mean([skm.roc_auc_score(truth == k, probabilities[:, k]) for k in range(4)])
    )
    specificity = [skm.recall_score(truth != k, called != k) for k in range(4)]
    assert found["mean specificity"] == pytest.approx(np.mean(specificity))
    assert found["mean FPR"] == pytest.approx(1 - found["mean specificity"])


def test_four_classes_all_right_and_all_wrong() -> None:
    truth = np.array([0, 1, 2, 3])
    perfect = multiclass_metrics(truth, np.eye(4))
    assert perfect.pop("mean FPR") == 0.0
    assert set(perfect.values()) == {1.0}
    assert multiclass_metrics(truth, np.roll(np.eye(4), 1, axis=1))["accuracy"] == 0.0


def test_confusion_says_what_was_called_what() -> None:
    truth, called = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0])
    assert confusion(truth, called, ("ill", "well")) == {
        "confusion, ill called ill": 1, "confusion, ill called well": 1,
        "confusion, well called ill": 1, "confusion, well called well": 2,
    }  # fmt: skip


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


def test_what_rests_on_one_group_has_no_interval() -> None:
    truth = np.array([True, True, False, False, False])
    values = np.array([0.9, 0.2, 0.1, 0.6, 0.3])

    def statistic(i: np.ndarray) -> dict[str, float]:
        return classification_metrics(truth[i], values[i])

    one_patient_has_it = bootstrap(statistic, ["a", "a", "b", "c", "d"])
    assert one_patient_has_it["sensitivity"].value == 0.5
    assert np.isnan(one_patient_has_it["sensitivity"].low)
    assert np.isnan(one_patient_has_it["AUC"].high)
    assert one_patient_has_it["specificity"].low < one_patient_has_it["specificity"].high
    two_have_it = bootstrap(statistic, ["a", "e", "b", "c", "d"])
    assert (two_have_it["sensitivity"].low, two_have_it["sensitivity"].high) == (0.0, 1.0)
