"""Fitting a temperature on validation groups.

Three forms are compared by five-fold cross-validation over whole groups, and the one with the
least log loss on groups that it was not fitted to is taken: the network as it is; a temperature;
a temperature and an offset a class (Alexandari et al. 2020), which a network needs whose classes
were trained in other shares than they have. Two classes and independent sigmoids keep their order
in every form; of four classes, offsets may change which stands first.

Independent sigmoids share one temperature and one curve. A temperature each would have to be
fitted on a few pictures: of the manifestations, one is there in all validation slices but one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.model_selection import StratifiedGroupKFold

from inference.calibration import Calibration, to_probabilities
from inference.models import ModelRecord, ModelStore
from inference.training.evaluation.calibration import Sample, samples_of
from inference.training.evaluation.figure import Job
from inference.training.reliability import ece, group_weights, log_loss, reliability_curve

__all__ = ["MIN_GROUPS", "calibrate", "enter_calibrations", "fit"]

MIN_GROUPS = 20
"""With fewer, neither the choice of a form nor a band can be trusted, and none is made."""
FOLDS = 5
RESAMPLES = 200
SEED = 7
_COLDEST, _HOTTEST = 0.05, 20.0
_MOST_OFFSET = 20.0

_FORMS = ("no change", "a temperature", "a temperature and offsets")


def _flat(sample: Sample) -> Sample:
    """Independent sigmoids as so many two-class pictures: logits z and 0."""
    if sample.exclusive:
        return sample
    classes = sample.logits.shape[1]
    first = sample.logits.ravel()
    truth = sample.truth.ravel()
    return replace(
        sample,
        exclusive=True,
        logits=np.stack([first, np.zeros_like(first)], axis=1),
        truth=np.stack([truth, 1.0 - truth], axis=1),
        groups=np.repeat(sample.groups, classes),
        splits=np.repeat(sample.splits, classes),
        sources=np.repeat(sample.sources, classes),
    )


def _apply(logits: NDArray[np.float64], parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities; parameters are the logarithm of the temperature, then the offsets."""
    scaled = logits * np.exp(-parameters[0])
    if len(parameters) > 1:
        scaled = scaled + np.append(parameters[1:], 0.0)
    return to_probabilities(scaled, exclusive=True)


def _solve(sample: Sample, form: str) -> NDArray[np.float64]:
    if form == _FORMS[0]:
        return np.zeros(1)
    weights = group_weights(sample.groups)
    offsets = sample.logits.shape[1] - 1 if form == _FORMS[2] else 0

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        said = _apply(sample.logits, parameters)
        # Of the log loss by each scaled logit, hence by the temperature's logarithm and offsets.
        slope = weights[:, np.newaxis] * (said - sample.truth)
        steps = [-(slope * sample.logits).sum() * np.exp(-parameters[0])]
        steps += slope.sum(axis=0)[:offsets].tolist()
        return log_loss(said, sample.truth, weights, exclusive=True), np.array(steps)

    bounds = [(np.log(_COLDEST), np.log(_HOTTEST))] + [(-_MOST_OFFSET, _MOST_OFFSET)] * offsets
    found = minimize(loss, np.zeros(1 + offsets), jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x, dtype=np.float64)


def _out_of_fold(sample: Sample, form: str) -> NDArray[np.float64]:
    """Probabilities of each picture by a fit to the groups of the other folds."""
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED)
    classes = sample.truth.argmax(axis=1)
    said = np.empty_like(sample.logits)
    for fitted, held_out in splitter.split(sample.logits, classes, sample.groups):
        said[held_out] = _apply(sample.logits[held_out], _solve(sample.at(fitted), form))
    return said


def _temperatures(sample: Sample, form: str) -> tuple[float, float]:
    """95 % interval of the temperature, bootstrapped over groups."""
    members = [np.flatnonzero(sample.groups == g) for g in np.unique(sample.groups)]
    chooser = np.random.default_rng(SEED)
    found = []
    for _ in range(RESAMPLES):
        drawn = chooser.integers(len(members), size=len(members))
        part = sample.at(np.concatenate([members[i] for i in drawn]))
        # A group that was drawn twice is two groups.
        names = np.repeat([str(k) for k in range(len(drawn))], [len(members[i]) for i in drawn])
        found.append(float(np.exp(_solve(replace(part, groups=names), form)[0])))
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def _mean_ece(probabilities: NDArray[np.float64], sample: Sample) -> float:
    weights = group_weights(sample.groups)
    each = [ece(p, t, weights) for p, t in zip(probabilities.T, sample.truth.T, strict=True)]
    return float(np.mean(each))


def fit(sample: Sample, sha256: str) -> Calibration:
    """Fit a calibration to a sample, all of it.

    Parameters
    ----------
    sample
        Validation pictures alone.
    sha256
        Of the weights that gave its logits.

    Returns
    -------
    Calibration
        Without a temperature, and with the reason, when there are fewer than `MIN_GROUPS` groups
        or they do not determine one.
    """
    flat = _flat(sample)
    weights = group_weights(sample.groups)
    groups = len(set(sample.groups.tolist()))
    counts = Counter(sample.sources.tolist())
    classes = sample.logits.shape[1]
    empty = Calibration(
        task=sample.task,
        sha256=sha256,
        data=", ".join(f"{source} {n}" for source, n in sorted(counts.items())),
        n=len(sample.groups),
        groups=groups,
        temperature=None,
        temperature_low=None,
        temperature_high=None,
        offsets=(0.0,) * classes,
        shares=tuple(float(s) for s in weights @ sample.truth),
        ece_before=_mean_ece(_apply(flat.logits, np.zeros(1)), flat),
        ece_after=None,
        curves=(),
        reason="",
    )
    if groups < MIN_GROUPS:
        reason = f"{groups} validation groups are too few, {MIN_GROUPS} are needed"
        return replace(empty, reason=reason)
    flat_weights = group_weights(flat.groups)
    # A pooled offset would be neither of one sigmoid nor of the others.
    forms = _FORMS if sample.exclusive else _FORMS[:2]
    said = {form: _out_of_fold(flat, form) for form in forms}
    losses = {f: log_loss(p, flat.truth, flat_weights, exclusive=True) for f, p in said.items()}
    best = min(forms, key=lambda form: losses[form])
    parameters = _solve(flat, best)
    temperature = float(np.exp(parameters[0]))
    if not 1.01 * _COLDEST < temperature < 0.99 * _HOTTEST:
        return replace(empty, reason="the validation pictures determine no temperature")
    low, high = (1.0, 1.0) if best == _FORMS[0] else _temperatures(flat, best)
    compared = ", ".join(f"{form} {loss:.3f}" for form, loss in losses.items())
    found = replace(
        empty,
        temperature=temperature,
        temperature_low=low,
        temperature_high=high,
        offsets=(*parameters[1:].tolist(), 0.0) if len(parameters) > 1 else (0.0,) * classes,
        ece_after=_mean_ece(said[best], flat),
        reason=f"{best}: least log loss on groups it was not fitted to ({compared})",
    )
    calibrated = to_probabilities(sample.logits, found, exclusive=sample.exclusive)
    if sample.exclusive:
        curves = tuple(
            reliability_curve(p, t, sample.groups)
            for p, t in zip(calibrated.T, sample.truth.T, strict=True)
        )
    else:
        curves = (reliability_curve(calibrated.ravel(), sample.truth.ravel(), flat.groups),)
    return replace(found, curves=curves)


def calibrate(job: Job) -> dict[str, tuple[Calibration, ...]]:
    """Calibrate every head of every model, each on the validation groups of its model.

    Parameters
    ----------
    job
        Rows and models; its `splits` are not looked at.

    Returns
    -------
    dict
        Calibrations by name of the model; models without rows are left out.
    """
    only = replace(job, splits=frozenset({"validation"}))
    found: dict[str, tuple[Calibration, ...]] = {}
    for record in job.store.records:
        samples: Sequence[Sample] = samples_of(only, record)
        if samples:
            found[record.name] = tuple(fit(s, record.sha256) for s in samples)
    return found


def enter_calibrations(found: dict[str, tuple[Calibration, ...]], store: ModelStore) -> None:
    """Write them into the manifest, in the place of those that the models had."""

    def entered(record: ModelRecord) -> ModelRecord:
        return replace(record, calibrations=found.get(record.name, record.calibrations))

    store.write([entered(r) for r in store.records])
