"""Calibrated probabilities: logits divided by a temperature, and a band of what was observed.

A network's probabilities say which of two pictures is the more suspicious; how often such a value
is right they say badly (Guo et al. 2017). A `Calibration` is fitted by `inference.training.
calibrate` on validation groups, belongs to the weights whose SHA-256 it carries, and is applied
here.

**The band** is the observed frequency on the validation groups: of the pictures with about this
value, how many had it, as a 95 % Wilson interval in which each *group* (patient, or run of similar
slices) counts once. It was preferred to a bootstrap of the temperature, since that

- has no width at all at one half, whatever the temperature,
- supposes that a temperature is all that is wrong, and
- is as sure of values that no validation picture ever had as of others,

while the observed frequency supposes nothing but that new pictures are like those of validation.
It is wide with few groups, and that is the truth about few groups. It speaks of single pictures:
of a whole study's value, a mean over its most suspicious slices, no interval is known, for want of
whole series with a known answer.

**A value may lie outside its band**, since the two are not made of one another: a temperature moves
all values by one rule, and the band counts what came true. Mostly that happens near 0 and 1. The
last bin holds values from some way down up to the highest, so that above its mean the value goes on
rising while the band stays: nothing was observed of the highest values by themselves. The value is
then surer than anything that was seen to come true. Neither is bent to fit the other (a band that
was stretched to hold the value would claim an observation that nobody made): both are shown, and
that they part is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bin", "Calibration", "to_probabilities"]


@dataclass(frozen=True, slots=True)
class Bin:
    """Validation pictures of similar value.

    Parameters
    ----------
    value
        Mean calibrated probability, groups alike.
    observed
        Share of them that had the class, groups alike.
    low, high
        95 % Wilson interval of `observed`, by `groups`.
    n, groups
        Pictures, and groups that have at least one of them.
    """

    value: float
    observed: float
    low: float
    high: float
    n: int
    groups: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the logits of one head become probabilities that hold on the validation groups.

    Parameters
    ----------
    task
        As `findings.Estimate.task`.
    sha256
        Of the weights that it was fitted for; it is of no use for others.
    data, n, groups
        Pictures it was fitted on: their sources in words, their number and that of their groups.
    temperature
        The logits are divided by it. None: not calibrated, for `reason`.
    temperature_low, temperature_high
        95 % interval, bootstrapped over groups; None without a temperature.
    offsets
        Added to the divided logits, one a class; zeros where a temperature alone did as well.
        They move the share of a class from that of training to that of validation.
    shares
        How often each class was there, groups alike.
    ece_before, ece_after
        Expected calibration error on the validation groups. After: each group scored by a fit to
        the others; None without a temperature.
    curves
        The reliability curve of each class, values rising; one for all of them where they were
        pooled (independent sigmoids).
    reason
        Why this form, or why none.
    """

    task: str
    sha256: str
    data: str
    n: int
    groups: int
    temperature: float | None
    temperature_low: float | None
    temperature_high: float | None
    offsets: tuple[float, ...]
    shares: tuple[float, ...]
    ece_before: float
    ece_after: float | None
    curves: tuple[tuple[Bin, ...], ...]
    reason: str

    def __post_init__(self) -> None:
        """Refuse a temperature that would turn the order round.

        Raises
        ------
        ValueError
            In words for developers.
        """
        if self.temperature is not None and not 0.0 < self.temperature < float("inf"):
            raise ValueError(f"a temperature is positive, not {self.temperature}")

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Out of the model manifest, as `dataclasses.asdict` put it there.

        Raises
        ------
        KeyError, TypeError, ValueError
            When it is damaged.
        """
        return cls(
            **{
                **values,
                "offsets": tuple(values["offsets"]),
                "shares": tuple(values["shares"]),
                "curves": tuple(tuple(Bin(**each) for each in c) for c in values["curves"]),
            }
        )

    def bands(self, values: NDArray[np.floating[Any]]) -> tuple[tuple[float, float] | None, ...]:
        """What was observed of single pictures with such values.

        Between two bins the limits are interpolated; beyond the first and the last they are that
        bin's.

        Parameters
        ----------
        values
            Length c, calibrated probabilities.

        Returns
        -------
        tuple
            Low and high for each class; None where it is not computed.
        """
        if not self.curves:
            return (None,) * len(values)
        curves = self.curves if len(self.curves) == len(values) else self.curves * len(values)
        return tuple(_limits(float(v), curve) for v, curve in zip(values, curves, strict=True))

    @property
    def basis(self) -> str:
        """In a sentence: on what it was fitted, or why there is none."""
        if self.temperature is None:
            return f"Not calibrated: {self.reason}."
        return (
            f"Calibrated on {self.n} pictures of {self.groups} groups that the model was not "
            f"trained on ({self.data})."
        )


def _limits(value: float, curve: tuple[Bin, ...]) -> tuple[float, float] | None:
    if not curve or not np.isfinite(value):
        return None
    at = [b.value for b in curve]
    low = np.interp(value, at, [b.low for b in curve])
    high = np.interp(value, at, [b.high for b in curve])
    return float(low), float(high)


def to_probabilities(
    logits: NDArray[np.floating[Any]], calibration: Calibration | None = None, *, exclusive: bool
) -> NDArray[np.float64]:
    """Logits to probabilities.

    Parameters
    ----------
    logits
        Shape (n, classes).
    calibration
        None: as the network says it.
    exclusive
        True: softmax. False: a sigmoid each.

    Returns
    -------
    ndarray
        Shape (n, classes), in [0, 1].
    """
    scaled = logits.astype(np.float64)
    if calibration is not None and calibration.temperature is not None:
        scaled = scaled / calibration.temperature + np.array(calibration.offsets)
    if not exclusive:
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(scaled, -700.0, 700.0))))
    values = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(values / values.sum(axis=1, keepdims=True))
