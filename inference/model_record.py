"""What the manifest says of one model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from inference.calibration import Calibration
from inference.findings import ModelProvenance

__all__ = ["DESCRIPTION", "LICENCE", "ModelRecord", "Split"]

DESCRIPTION = 1
"""Counts up when `networks.evidence.described` changes: what was fitted to other numbers is of no
use with these."""

LICENCE = (
    "Research use only, non-commercial (CC BY-NC-SA 4.0): parts of the training data forbid "
    "commercial use."
)


@dataclass(frozen=True, slots=True)
class Split:
    """Which groups a model has seen.

    Parameters
    ----------
    train_folds, validation_folds
        Folds of `inference.training.manifest.fold_of_groups`.
    trained_groups
        Every ``split_group`` that gave a training picture.
    validation_groups
        Groups on which choices were made; scored apart from the test groups.
    """

    train_folds: tuple[int, ...]
    validation_folds: tuple[int, ...]
    trained_groups: tuple[str, ...]
    validation_groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """One model of the manifest.

    Parameters
    ----------
    name, version
        How it is called in findings.
    kind
        ``"recognition"``, ``"manifestations"``, ``"streams"``, ``"evidence"`` or ``"domain"``.
    architecture
        In words.
    network
        Settings for `networks.factory.make_network`.
    size
        Side of the input in pixels.
    file, sha256, bytes
        The safetensors file beside the manifest.
    recipe, recipe_sha256
        What trained it.
    data, device, steps, seconds
        In words, and what it took.
    split
        Which groups it has seen.
    figures
        Rows of `inference.training.evaluation`, measured on groups it has not seen.
    licence
        Of the weights.
    modalities
        Of recognition: the manifest's modalities that it learned from.
    framing
        Which part of a CT picture without HU it is shown, `inference.framing`.
    calibrations
        One a task, fitted by ``secondread calibrate``; see `calibration`.
    thresholds
        Of the domain's detector: by modality, the least probability that is let pass; chosen on
        validation groups.
    fitted_to
        Of evidence: SHA-256 by name of the models that it was fitted to and is of use with, the
        recogniser first.
    description
        Of evidence: the `DESCRIPTION` that it was fitted to.
    silent
        Of streams as a part of a form: those that others of the form speak of alone. Not of the
        model but of the form; `ModelStore.streams` sets it.
    """

    name: str
    version: str
    kind: str
    architecture: str
    network: dict[str, Any]
    size: int
    file: str
    sha256: str
    bytes: int
    recipe: str
    recipe_sha256: str
    data: str
    device: str
    steps: int
    seconds: float
    split: Split
    licence: str = LICENCE
    modalities: tuple[str, ...] = ("CT", "CXR")
    framing: str = "whole"
    thresholds: dict[str, float] = field(default_factory=dict)
    fitted_to: dict[str, str] = field(default_factory=dict)
    description: int = 1
    figures: tuple[dict[str, Any], ...] = field(default=())
    calibrations: tuple[Calibration, ...] = ()
    silent: tuple[str, ...] = ()

    def calibration(self, task: str) -> Calibration | None:
        """The calibration of a task; None when there is none, or it was fitted to other weights."""
        return next(
            (c for c in self.calibrations if c.task == task and c.sha256 == self.sha256), None
        )

    def why_not_calibrated(self, task: str) -> str:
        """In a sentence: what `calibration` cannot give."""
        if any(c.task == task for c in self.calibrations):
            return "Not calibrated: the calibration was fitted to other weights."
        return "Not calibrated: no calibration has been fitted to this model."

    @property
    def form(self) -> str:
        """Of streams: ``"shared"`` or ``"separate"``; else empty."""
        return str(self.network.get("form", ""))

    @property
    def streams(self) -> tuple[str, ...]:
        """Of streams: which."""
        return tuple(self.network.get("streams", ()))

    @property
    def reads(self) -> str:
        """Of recognition: the modality that it is asked about, ``"CT"`` or ``"CXR"``."""
        return "CXR" if "cxr-4" in self.network.get("heads", {}) else "CT"

    @property
    def knows(self) -> tuple[str, ...]:
        """Of recognition: the modalities on which it is scored; X-rays need four classes."""
        return tuple(m for m in self.modalities if m in ("CT", self.reads))

    @property
    def voices(self) -> tuple[str, ...]:
        """Names of those who speak when it speaks: evidence never speaks without a recogniser."""
        return (*tuple(self.fitted_to)[:1], self.name)

    def provenance(self) -> ModelProvenance:
        """As findings carry it."""
        return ModelProvenance(
            name=self.name,
            task=self.kind,
            architecture=self.architecture,
            version=self.version,
            sha256=self.sha256,
            trained_on=self.data,
            licence=self.licence,
        )
