"""Results as plain frozen data: what a system says about one volume, and how it came to say it.

`None` (or NaN in an array) means *not computed*; it never means *absent*. What holds of them is
checked where they are made: `ValueError` of `inference.invariants`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.cuts import HALF, Cut
from inference.invariants import (
    check_calibrated,
    check_estimate,
    check_findings,
    check_heatmap,
    check_segment,
)
from inference.taxonomy import FindingClass, Manifestation

__all__ = [
    "SCHEMA_VERSION",
    "Calibrated",
    "Domain",
    "Energy",
    "Estimate",
    "Findings",
    "Heatmap",
    "Manifestation",
    "ModelProvenance",
    "Part",
    "Segment",
    "Timings",
]

SCHEMA_VERSION = "2.0"
"""Version of findings.json (``resources/schema/findings.schema.json``)."""


@dataclass(frozen=True, slots=True)
class Domain:
    """Whether a volume shows what the models know.

    Parameters
    ----------
    within
        True: nothing speaks against it. False: flagged.
    score
        In [0, 1]; how well it fits, by `method` alone: not a probability of being right.
    reasons
        Sentences for the reader; empty where `within`.
    method
        Name of the model that said so, or the measurements in words.
    """

    within: bool
    score: float
    reasons: tuple[str, ...]
    method: str


@dataclass(frozen=True, eq=False, slots=True)
class Calibrated:
    """The probabilities of an estimate after calibration, with what was observed of such values.

    Parameters
    ----------
    study
        Length c, in [0, 1]; by the same rule and from the same slices as `Estimate.study`.
    bands
        For each class, the lowest and highest share (95 %) of validation pictures with about the
        value of `study` that had the class; None where it is not computed.
    per_slice
        Shape (slices, c), float32; NaN where a slice was not analysed.
    of_slices
        True: `study` is a mean over slices, and the band speaks of single slices with such a
        value, since an interval for whole studies is not computed.
    shares
        Length c: how often each class was there where it was calibrated, groups alike.
    n, groups
        Pictures it was calibrated on, and groups of these.
    """

    study: tuple[float, ...]
    bands: tuple[tuple[float, float] | None, ...]
    per_slice: NDArray[np.float32]
    of_slices: bool
    shares: tuple[float, ...]
    n: int
    groups: int

    def __post_init__(self) -> None:
        check_calibrated(self)


@dataclass(frozen=True, slots=True)
class Part:
    """What one of several models, whose logits were joined, says alone.

    Parameters
    ----------
    model
        Its name; see `Findings.models`.
    study
        Length c, in [0, 1], not calibrated; by the rule of the estimate, whose most suspicious
        slices are those that are so to this model.
    """

    model: str
    study: tuple[float, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Estimate:
    """Probabilities of named classes, for the study and for each slice.

    Parameters
    ----------
    task
        ``"covid-2"`` (COVID-19 v not), ``"cxr-4"`` or ``"manifestations"``.
    title
        Heading for the reader.
    classes
        Length c; looked up by their keys, shown by their labels.
    study
        Length c, in [0, 1], for the whole study, before calibration; see `shown`.
    per_slice
        Shape (slices, c), float32, before calibration; NaN where a slice was not analysed.
    exclusive
        True: the classes add to one (softmax). False: independent (sigmoid).
    model
        Name of the model that said so; see `Findings.models`. Of several, joined by “ + ”.
    rule
        How slices became a study, in words.
    calibrated
        The probabilities that a reader is shown; None where the model is not calibrated.
    calibration
        In a sentence: on what it was calibrated, or why not.
    parts
        What each of several models says alone; empty where one model spoke.
    """

    task: str
    title: str
    classes: tuple[FindingClass, ...]
    study: tuple[float, ...]
    per_slice: NDArray[np.float32]
    exclusive: bool
    model: str
    rule: str
    calibrated: Calibrated | None = None
    calibration: str = "Not calibrated."
    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        check_estimate(self)

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the classes."""
        return tuple(each.key for each in self.classes)

    @property
    def voices(self) -> tuple[str, ...]:
        """Names of the models that spoke."""
        return tuple(part.model for part in self.parts) or (self.model,)

    @property
    def shown(self) -> tuple[float, ...]:
        """For the reader: calibrated where that is known, else as the network says it."""
        return self.study if self.calibrated is None else self.calibrated.study

    @property
    def shown_per_slice(self) -> NDArray[np.float32]:
        """The same for each slice, shape (slices, c)."""
        return self.per_slice if self.calibrated is None else self.calibrated.per_slice

    @property
    def bands(self) -> tuple[tuple[float, float] | None, ...]:
        """Low and high for each class; None where no band is computed."""
        return (None,) * len(self.classes) if self.calibrated is None else self.calibrated.bands

    def beside_band(self, index: int) -> int:
        """Where the value of a class that is shown lies: -1 below its band, 1 above it, else 0.

        It may: the band is what was observed, and the value is what the calibrated network says.
        See `inference.calibration`.
        """
        band, value = self.bands[index], self.shown[index]
        if band is None:
            return 0
        return int(value > band[1]) - int(value < band[0])


@dataclass(frozen=True, eq=False, slots=True)
class Segment:
    """One manifestation's mask on the source grid and what was measured in it.

    Parameters
    ----------
    key
        Which manifestation.
    mask
        Shape of the volume's array, bool. The grid is `Findings.affine`.
    model
        Name of the model; see `Findings.models`.
    lesions
        Number of 3D components (26-connected) of at least `quantify.MIN_LESION_VOXELS`.
    largest_slice
        Slice index with most of it; None when the mask is empty.
    volume_ml
        None where the spacing is unknown.
    percent_of_lung
        0 to 100; None where no lung mask exists.
    mean_hu
        None where the source has no HU, or the mask is empty.
    pixels_per_slice
        Length slices, the mask's pixel count.
    cut
        How the mask was made of the model's probabilities.
    """

    key: Manifestation
    mask: NDArray[np.bool_]
    model: str
    lesions: int
    largest_slice: int | None
    volume_ml: float | None
    percent_of_lung: float | None
    mean_hu: float | None
    pixels_per_slice: NDArray[np.int64]
    cut: Cut = HALF

    def __post_init__(self) -> None:
        check_segment(self)


@dataclass(frozen=True, slots=True)
class Energy:
    """How much of a heatmap lies inside a region.

    Parameters
    ----------
    inside
        Share of the heat inside the region, in [0, 1].
    even
        What a map without preference would have there: the region's share of the area that the
        network saw, in [0, 1].
    average
        True: the region is where lungs lie on average, since those of this picture are not known.

    Raises
    ------
    ValueError
        When one is no share.
    """

    inside: float
    even: float
    average: bool = False

    def __post_init__(self) -> None:
        if not (0.0 <= self.inside <= 1.0 and 0.0 <= self.even <= 1.0):
            raise ValueError(f"shares lie between 0 and 1, not {self.inside} and {self.even}")


@dataclass(frozen=True, eq=False, slots=True)
class Heatmap:
    """An explanation of one slice, not a segmentation.

    Parameters
    ----------
    slice_index
        The slice explained.
    explained
        The class, as in `Estimate.classes`.
    task
        The estimate explained.
    method
        ``"Grad-CAM, Mixed_7c"``.
    values
        Shape (rows, columns) of the source, float32 in [0, 1]; 0 = no evidence.
    lungs
        How much of the heat lies inside the lungs; None when that was not computed, since no
        lungs are known or the map is empty.
    model
        Name of the model whose output is explained: of a joined estimate one part alone.
    """

    slice_index: int
    explained: FindingClass
    task: str
    method: str
    values: NDArray[np.float32]
    lungs: Energy | None = None
    model: str = ""

    def __post_init__(self) -> None:
        check_heatmap(self)

    @property
    def empty(self) -> bool:
        """Nothing in the slice speaks for the class."""
        return not bool((self.values > 0.0).any())


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds by part, and the wall seconds of all; `total` is measured, not added up.

    A part is the time for which it was at work. Parts overlap (pictures are prepared while the
    networks run), so together they may be more than the total.

    `ready` is loading the models, and making their graphs the first time on a computer; it is near
    zero where that was done before.
    """

    read: float
    pre: float
    recognise: float
    label: float
    segment: float
    post: float
    total: float
    ready: float = 0.0

    def parts(self) -> dict[str, float]:
        """The parts in order of work, without the total."""
        names = ("read", "ready", "pre", "recognise", "label", "segment", "post")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class ModelProvenance:
    """Which weights spoke."""

    name: str
    task: str
    architecture: str
    version: str
    sha256: str
    trained_on: str
    licence: str


@dataclass(frozen=True, eq=False, slots=True)
class Findings:
    """All that one system says about one volume.

    Parameters
    ----------
    system
        Name of the published system, e.g. ``"elbana"``.
    series_uid
        Of the volume analysed; findings are shown for that series alone.
    shape, affine
        Grid of every mask: that of the volume.
    estimates
        Recognition (one or two) and, on CT, the manifestations.
    segments
        One a manifestation on CT; empty on X-ray, where segmentation is not computed.
    lungs
        Lung mask, shape of the volume, or None when not computed.
    lung_ml
        Volume of the lungs, or None.
    analysed
        Length slices, bool: which slices went through the networks.
    notes
        Sentences for the reader: what was skipped, fell back or is doubtful.
    domain
        Whether the volume shows what the models know; None where that was not judged.
    """

    system: str
    series_uid: str
    shape: tuple[int, int, int]
    affine: NDArray[np.float64]
    estimates: tuple[Estimate, ...]
    segments: tuple[Segment, ...]
    lungs: NDArray[np.bool_] | None
    lung_ml: float | None
    analysed: NDArray[np.bool_]
    timings: Timings
    models: tuple[ModelProvenance, ...]
    device: str
    created: str
    notes: tuple[str, ...] = ()
    domain: Domain | None = None

    def __post_init__(self) -> None:
        check_findings(self)

    def estimate(self, task: str) -> Estimate | None:
        """The estimate of that task, or None when it was not computed."""
        return next((e for e in self.estimates if e.task == task), None)

    def segment(self, key: Manifestation) -> Segment | None:
        """The segment of that manifestation, or None when it was not computed."""
        return next((s for s in self.segments if s.key is key), None)
