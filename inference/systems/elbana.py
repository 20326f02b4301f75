"""El-bana et al.: recognition, manifestations, then one specialised stream a manifestation.

The second and third stage run even when the first is negative, as the paper asks (early signs).
X-ray gets the first stage alone: the others were made for CT.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from inference.engine import Clock, Engine
from inference.errors import AnalysisError
from inference.findings import Estimate, Findings, Heatmap, Manifestation, Segment
from inference.lungs import Lungs, dilate, find_lungs
from inference.models import ModelRecord, ModelStore
from inference.preprocess import Box, prepare, restore, to_picture, to_tensor
from inference.quantify import measure
from inference.studies.model import Volume
from inference.systems.base import Context

__all__ = ["ElBana"]

LUNG_MARGIN_MM = 10.0
"""Lesions (effusion aside) are kept inside the lungs grown by this."""
EFFUSION_MARGIN_MM = 40.0
"""Effusion lies outside the aerated lung, but not in the table."""
RECOGNITION_SHARE = 1.0 / 3.0
MANIFESTATION_SHARE = 0.1
HALF = 127
"""A probability above one half, in 255ths."""
LEAST_SLICES = 3
"""A study's probability is the mean over its most suspicious slices; never fewer than this."""

_TITLES = {
    "covid-2": "COVID-19 recognition",
    "cxr-4": "Kind of pneumonia (X-ray)",
    "manifestations": "Manifestations",
}
_CLASSES = {
    "covid-2": ("COVID-19", "not COVID-19"),
    "cxr-4": ("COVID-19", "normal", "viral pneumonia", "bacterial pneumonia"),
    "manifestations": tuple(m.label for m in Manifestation),
}


@dataclass(frozen=True, eq=False, slots=True)
class _Plan:
    """What is analysed, and how it is cut; the same for analysis and explanation."""

    is_ct: bool
    lungs: Lungs | None
    box: Box | None
    indices: NDArray[np.intp]
    notes: tuple[str, ...]


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(1.0 / (1.0 + np.exp(-logits)), dtype=np.float32)


def stream_probabilities(
    logits: dict[str, NDArray[np.float32]],
) -> dict[Manifestation, NDArray[np.float32]]:
    """Probability maps by manifestation from the logits of one form of the streams.

    Parameters
    ----------
    logits
        By stream: (n, 1, h, w), or (n, 4, h, w) of the all-class network, whose map is the odds
        against background, so that one half is where it wins.

    Returns
    -------
    dict
        (n, h, w), float32.
    """
    if "all" in logits:
        scores = logits["all"]
        return {
            key: _sigmoid(scores[:, code] - scores[:, 0])
            for code, key in enumerate(Manifestation, start=1)
        }
    return {Manifestation(name): _sigmoid(values[:, 0]) for name, values in logits.items()}


def most_suspicious(probabilities: NDArray[np.float32], share: float) -> float:
    """Mean of the highest `share` of the values, at least of `LEAST_SLICES` (or of all).

    Parameters
    ----------
    probabilities
        Length n, one a slice; n >= 1.
    share
        0 to 1.
    """
    count = min(len(probabilities), max(LEAST_SLICES, round(share * len(probabilities))))
    return float(np.sort(probabilities)[-count:].mean())


def _is_ct(volume: Volume) -> bool:
    if volume.modality == "CT":
        return True
    if volume.modality in {"CR", "DX"}:
        return False
    raise AnalysisError(
        "This picture does not say whether it is a CT slice or an X-ray; say which, and analyse "
        "again."
    )


def _plan(volume: Volume) -> _Plan:
    is_ct = _is_ct(volume)
    everything = np.arange(volume.shape[0])
    if not is_ct:
        note = "Manifestations and masks are computed on CT only; on X-ray they are not computed."
        return _Plan(is_ct, None, None, everything, (note,))
    if not volume.is_ct:
        note = (
            "The picture has no Hounsfield units: no lung mask, so every slice was analysed and "
            "masks are not clipped to the lungs."
        )
        return _Plan(is_ct, None, None, everything, (note,))
    lungs = find_lungs(volume)
    if not lungs.found:
        note = (
            "No lungs were found: the study may not show the chest. Every slice was analysed; "
            "distrust the result."
        )
        return _Plan(is_ct, None, None, everything, (note,))
    indices = np.flatnonzero(lungs.slices)
    skipped = volume.shape[0] - len(indices)
    notes = (f"{skipped} slices without lung were not analysed.",) if skipped else ()
    return _Plan(is_ct, lungs, Box.around(lungs.mask), indices, notes)


class ElBana:
    """The default system.

    Parameters
    ----------
    store
        None: the models that come with SecondRead.
    precision
        As `Engine`.
    """

    name = "elbana"

    def __init__(self, store: ModelStore | None = None, precision: str = "auto") -> None:
        self._store = store or ModelStore()
        self._precision = precision
        self._engine: tuple[str, Engine] | None = None
        self._planned: tuple[weakref.ref[Volume], _Plan] | None = None

    def _engine_for(self, device: str) -> Engine:
        if self._engine is None or self._engine[0] != device:
            self._engine = (device, Engine(self._store, device, self._precision))
        return self._engine[1]

    def _plan_for(self, volume: Volume) -> _Plan:
        if self._planned is None or self._planned[0]() is not volume:
            self._planned = (weakref.ref(volume), _plan(volume))
        return self._planned[1]

    @staticmethod
    def _pictures(
        volume: Volume, plan: _Plan, sizes: set[int], context: Context
    ) -> dict[int, NDArray[np.uint8]]:
        """Prepared pictures by size, each (analysed slices, size, size)."""
        result = {s: np.empty((len(plan.indices), s, s), dtype=np.uint8) for s in sizes}
        for done, index in enumerate(plan.indices):
            if done % context.batch_size == 0:
                context.progress.report("Preparing slices", done, len(plan.indices))
            picture = to_picture(volume, int(index))
            for size, pictures in result.items():
                pictures[done] = prepare(picture, size, plan.box)
        return result

    def analyse(self, volume: Volume, context: Context) -> Findings:
        """Analyse a CT or an X-ray.

        Parameters
        ----------
        volume
            Modality CT, CR or DX; a picture must have been told which.
        context
            Progress, device, form of the streams.

        Raises
        ------
        AnalysisError
            In words for the reader.
        CancelledError
            When the reader cancelled.
        """
        clock = Clock(context.read_seconds)
        progress = context.progress
        engine = self._engine_for(context.device)
        with clock.part("pre"):
            progress.report("Finding the lungs", 0, 1)
            plan = self._plan_for(volume)
            recogniser = self._store.recogniser(ct=plan.is_ct)
            labeller = self._store.find("manifestations") if plan.is_ct else None
            streams = self._store.streams(context.streams) if plan.is_ct else ()
            used = [r for r in (recogniser, labeller, *streams) if r is not None]
            pictures = self._pictures(volume, plan, {r.size for r in used}, context)
        notes = list(plan.notes)
        runner = _Runner(engine, pictures, context, notes, volume.shape[0], plan)
        with clock.part("recognise"):
            tasks = ("covid-2",) if plan.is_ct else ("covid-2", "cxr-4")
            estimates = runner.recognise(recogniser, tasks)
        if labeller is not None:
            with clock.part("label"):
                estimates.append(runner.label(labeller))
        masks = None
        if streams:
            with clock.part("segment"):
                masks = runner.segment(streams, volume)
        with clock.part("post"):
            progress.report("Measuring", 0, 1)
            segments = self._segments(masks, volume, plan, streams)
            lung_ml = None
            if plan.lungs is not None and volume.has_geometry:
                lung_ml = float(plan.lungs.mask.sum()) * volume.voxel_ml
            analysed = np.zeros(volume.shape[0], dtype=bool)
            analysed[plan.indices] = True
            progress.report("Measuring", 1, 1)
        return Findings(
            system=self.name,
            series_uid=volume.series_uid,
            shape=volume.shape,
            affine=volume.affine,
            estimates=tuple(estimates),
            segments=segments,
            lungs=None if plan.lungs is None else plan.lungs.mask,
            lung_ml=lung_ml,
            analysed=analysed,
            timings=clock.timings(),
            models=tuple(r.provenance() for r in used),
            device=engine.describe(),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            notes=tuple(notes),
        )

    @staticmethod
    def _segments(
        codes: NDArray[np.uint8] | None,
        volume: Volume,
        plan: _Plan,
        streams: tuple[ModelRecord, ...],
    ) -> tuple[Segment, ...]:
        if codes is None:
            return ()
        lungs = None if plan.lungs is None else plan.lungs.mask
        near = inside = None
        if lungs is not None:
            inside = dilate(lungs, volume, LUNG_MARGIN_MM)
            near = dilate(lungs, volume, EFFUSION_MARGIN_MM)
        result = []
        for code, key in enumerate(Manifestation, start=1):
            mask = codes == code
            allowed = near if key is Manifestation.EFFUSION else inside
            if allowed is not None:
                mask &= allowed
            model = next(r.name for r in streams if {key.value, "all"} & set(r.streams))
            result.append(measure(key, mask, volume, lungs, model))
        return tuple(result)

    def explain(
        self, volume: Volume, slice_index: int, task: str, class_name: str, context: Context
    ) -> Heatmap:
        """Grad-CAM of one class on one slice, on the source grid.

        Raises
        ------
        AnalysisError
            When that task or class has no such explanation.
        """
        from inference.explain import METHOD, grad_cam
        from inference.networks.recognition import InceptionRecogniser

        record = self._store.recogniser(ct=_is_ct(volume))
        if task not in record.network["heads"] or class_name not in _CLASSES[task]:
            raise AnalysisError(f"There is no heatmap for {class_name}; choose a recognised class.")
        context.progress.report("Explaining", 0, 1)
        engine = self._engine_for(context.device)
        network = engine.network(record)
        if not isinstance(network, InceptionRecogniser):
            raise AnalysisError("The recognition model is not one that can be explained.")
        box = self._plan_for(volume).box
        picture = prepare(to_picture(volume, slice_index), record.size, box)
        x = to_tensor(picture[np.newaxis]).to(engine.device)
        heat = grad_cam(network, x, task, _CLASSES[task].index(class_name))
        values = restore(heat[np.newaxis], volume.shape[1:], box)[0]
        context.progress.report("Explaining", 1, 1)
        return Heatmap(slice_index, class_name, task, METHOD, values)


class _Runner:
    """One analysis: the three stages over the prepared pictures."""

    def __init__(
        self,
        engine: Engine,
        pictures: dict[int, NDArray[np.uint8]],
        context: Context,
        notes: list[str],
        slices: int,
        plan: _Plan,
    ) -> None:
        self._engine = engine
        self._pictures = pictures
        self._context = context
        self._notes = notes
        self._slices = slices
        self._plan = plan

    def _logits(self, record: ModelRecord, stage: str) -> dict[str, NDArray[np.float32]]:
        parts: dict[str, list[NDArray[np.float32]]] = {}
        for _, output in self._run(record, stage):
            for name, values in output.items():
                parts.setdefault(name, []).append(values)
        return {name: np.concatenate(values) for name, values in parts.items()}

    def _run(
        self, record: ModelRecord, stage: str
    ) -> Iterator[tuple[slice, dict[str, NDArray[np.float32]]]]:
        return self._engine.run(
            record,
            self._pictures[record.size],
            stage,
            self._context.progress,
            self._context.batch_size,
            self._notes,
        )

    def _estimate(
        self, task: str, probabilities: NDArray[np.float32], record: ModelRecord
    ) -> Estimate:
        exclusive = task != "manifestations"
        share = RECOGNITION_SHARE if exclusive else MANIFESTATION_SHARE
        per_slice = np.full((self._slices, probabilities.shape[1]), np.nan, dtype=np.float32)
        per_slice[self._plan.indices] = probabilities
        if exclusive:
            # Ordered by the first class, so that the classes of the study add to one.
            first = probabilities[:, 0]
            count = min(len(first), max(LEAST_SLICES, round(share * len(first))))
            study = probabilities[np.argsort(first)[-count:]].mean(axis=0)
        else:
            study = np.array([most_suspicious(p, share) for p in probabilities.T])
        single = len(probabilities) == 1
        rule = (
            "one picture"
            if single
            else f"mean of the {share:.0%} most suspicious of {len(probabilities)} analysed slices"
        )
        return Estimate(
            task=task,
            title=_TITLES[task],
            classes=_CLASSES[task],
            study=tuple(float(p) for p in study),
            per_slice=per_slice,
            exclusive=exclusive,
            model=record.name,
            rule=rule,
        )

    def recognise(self, record: ModelRecord, tasks: tuple[str, ...]) -> list[Estimate]:
        """Stage 1."""
        logits = self._logits(record, "Recognising")
        return [self._estimate(task, _softmax(logits[task]), record) for task in tasks]

    def label(self, record: ModelRecord) -> Estimate:
        """Stage 2."""
        logits = self._logits(record, "Labelling manifestations")[""]
        return self._estimate("manifestations", _sigmoid(logits), record)

    def segment(self, records: tuple[ModelRecord, ...], volume: Volume) -> NDArray[np.uint8]:
        """Stage 3: codes (slices, rows, columns), 0 none, else 1 + place in `Manifestation`.

        Where streams overlap the more probable one holds the pixel.
        """
        codes = np.zeros(volume.shape, dtype=np.uint8)
        best = np.zeros(volume.shape, dtype=np.uint8)
        for record in records:
            name = "Segmenting" if len(records) == 1 else f"Segmenting ({record.name})"
            for part, output in self._run(record, name):
                maps = stream_probabilities(output)
                for offset, index in enumerate(self._plan.indices[part]):
                    self._enter({k: v[offset] for k, v in maps.items()}, codes[index], best[index])
        return codes

    def _enter(
        self,
        maps: dict[Manifestation, NDArray[np.float32]],
        codes: NDArray[np.uint8],
        best: NDArray[np.uint8],
    ) -> None:
        """Enter one slice's probabilities into its codes where they pass one half and the best."""
        restored = restore(np.stack(list(maps.values())), codes.shape, self._plan.box)
        for key, values in zip(maps, restored, strict=True):
            level = np.asarray(np.rint(values * 255.0), dtype=np.uint8)
            wins = (level > HALF) & (level > best)
            codes[wins] = 1 + list(Manifestation).index(key)
            best[wins] = level[wins]
