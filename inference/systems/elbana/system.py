"""The system: plan, networks and findings put together; and its explanation of a slice."""

from __future__ import annotations

import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from inference.clock import Clock
from inference.domain import examine
from inference.engine import Engine
from inference.errors import AnalysisError
from inference.findings import Findings, Heatmap, Segment
from inference.heat_energy import energy_inside
from inference.models import ModelRecord, ModelStore
from inference.outputs import require_numbers
from inference.preprocess import prepare, restore, to_picture, to_tensor
from inference.studies.model import Volume
from inference.systems.base import Context
from inference.systems.elbana.lungs_alone import axial_only, measure_lungs
from inference.systems.elbana.masks import make_segments
from inference.systems.elbana.planning import Plan, is_ct, make_plan
from inference.systems.elbana.runner import Models, Runner
from inference.taxonomy import TASKS, FindingClass
from inference.upright import AXIAL, Upright, plane_of

__all__ = ["ElBana", "choose_models", "explained_class"]


class ElBana:
    """The default system.

    Parameters
    ----------
    store
        None: the models that come with SecondRead.
    precision, on_device
        As `Engine`.
    """

    name = "elbana"

    def __init__(
        self,
        store: ModelStore | None = None,
        precision: str = "auto",
        on_device: bool | None = None,
    ) -> None:
        self._store = store or ModelStore()
        self._precision = precision
        self._on_device = on_device
        self._engine: tuple[tuple[str, str], Engine] | None = None
        self._planned: tuple[weakref.ref[Volume], Plan] | None = None

    def _engine_for(self, context: Context) -> Engine:
        wish = (context.device, context.backend)
        if self._engine is None or self._engine[0] != wish:
            device, backend = wish
            engine = Engine(
                self._store, device, self._precision, backend, on_device=self._on_device
            )
            self._engine = (wish, engine)
        return self._engine[1]

    def _plan_for(self, volume: Volume, upright: Upright) -> Plan:
        if self._planned is None or self._planned[0]() is not volume:
            self._planned = (weakref.ref(volume), make_plan(upright.volume))
        return self._planned[1]

    def get_ready(self, volume: Volume, context: Context) -> None:
        """Load the weights that an analysis of the volume needs.

        Raises
        ------
        AnalysisError
            When they cannot be loaded.
        CancelledError
            When it is no longer wanted.
        """
        if plane_of(volume) != AXIAL:
            return
        engine = self._engine_for(context)
        for record in choose_models(self._store, volume, context).used:
            context.progress.report("Loading the models", 0, 0)
            engine.get_ready(record, _batch(volume, context))

    def analyse(self, volume: Volume, context: Context) -> Findings:
        """Analyse a CT or an X-ray.

        Parameters
        ----------
        volume
            Modality CT, CR or DX; a picture must have been told which. Of a CT whose slices are
            not axial the lungs alone are measured.
        context
            Progress, device, form of the streams, recogniser.

        Raises
        ------
        AnalysisError
            In words for the reader.
        CancelledError
            When the reader cancelled.
        """
        clock = Clock(context.read_seconds)
        progress = context.progress
        if (plane := plane_of(volume)) != AXIAL:
            progress.report("Finding the lungs", 0, 1)
            return measure_lungs(volume, plane, self.name, clock)
        engine = self._engine_for(context)
        engine.renew()
        progress.report("Finding the lungs", 0, 1)
        models = choose_models(self._store, volume, context)
        with ThreadPoolExecutor(1, "analysis-helper") as helper:
            loaded = helper.submit(_load, engine, models, volume, clock, _batch(volume, context))
            with clock.part("pre"):
                upright = Upright.of(volume)
                plan = self._plan_for(volume, upright)
            loaded.result()
            notes = list(plan.notes)
            if models.streams:
                why = self._store.why_no_evidence(models.recogniser, models.streams)
                notes += [why] if why else []
            with clock.part("pre"):
                domain, detectors = examine(upright.volume, plan.lungs, engine, progress, notes)
            doubts = () if domain is None else domain.reasons
            notes[:0] = doubts
            runner = Runner(engine, models, upright, plan, context, notes, clock, doubts)
            try:
                runner.run(helper)
            except BaseException:
                helper.shutdown(cancel_futures=True)
                raise
        with clock.part("post"):
            progress.report("Measuring", 0, 1)
            lungs = None if plan.lungs is None else upright.back(plan.lungs.mask)
            segments: tuple[Segment, ...] = ()
            if runner.codes is not None:
                codes = upright.back(runner.codes)
                segments = make_segments(codes, volume, lungs, models.streams, models.cuts)
            lung_ml = None
            if lungs is not None and volume.has_geometry:
                lung_ml = float(lungs.sum()) * volume.voxel_ml
            analysed = np.zeros(volume.shape[0], dtype=bool)
            analysed[plan.indices] = True
            progress.report("Measuring", 1, 1)
        return Findings(
            system=self.name,
            series_uid=volume.series_uid,
            shape=volume.shape,
            affine=volume.affine,
            estimates=runner.estimates(),
            segments=segments,
            lungs=lungs,
            lung_ml=lung_ml,
            analysed=analysed,
            timings=clock.timings(),
            models=tuple(r.provenance() for r in (*models.spoke, *detectors)),
            device=engine.describe(models.used),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            notes=(*notes, *engine.remarks((*models.used, *detectors))),
            domain=domain,
        )

    def explain(
        self, volume: Volume, slice_index: int, task: str, key: str, context: Context
    ) -> Heatmap:
        """Grad-CAM of one class on one slice, on the source grid; of the recogniser alone.

        Raises
        ------
        AnalysisError
            When that task or class has no such explanation, the network gives what is no number,
            or memory does not suffice on the CPU either.
        """
        from inference.explain import grad_cam, method
        from inference.networks.recognition import Recogniser

        record = self._store.recogniser(ct=is_ct(volume), name=context.recogniser)
        if (plane := plane_of(volume)) != AXIAL:
            raise AnalysisError(axial_only(plane))
        explained = explained_class(record, task, key)
        context.progress.report("Explaining", 0, 1)
        engine = self._engine_for(context)
        engine.renew()
        upright = Upright.of(volume)
        plan = self._plan_for(volume, upright)
        picture = to_tensor(
            prepare(to_picture(upright.volume, slice_index), record.size, plan.box)[np.newaxis]
        )

        def ask() -> tuple[Recogniser, NDArray[np.float32]]:
            network = engine.network(record)
            if not isinstance(network, Recogniser):
                raise AnalysisError("The recognition model is not one that can be explained.")
            x = picture.to(engine.device)
            return network, grad_cam(network, x, task, TASKS[task].keys.index(key))

        network, heat = engine.with_memory(ask, [])
        require_numbers(record.name, {"heat": heat})
        values = restore(heat[np.newaxis], upright.volume.shape[1:], plan.box)[0]
        energy = None
        if plan.lungs is not None:
            seen = None if plan.box is None else plan.box.mask(values.shape)
            energy = energy_inside(values, plan.lungs.mask[slice_index], seen)
        elif not plan.is_ct and network.region is not None:
            # The part of a picture that the network looks at: where lungs lie on average.
            known = energy_inside(values, network.looked_at(values.shape))
            energy = None if known is None else replace(known, average=True)
        stored = upright.back(values[np.newaxis])[0]
        context.progress.report("Explaining", 1, 1)
        return Heatmap(slice_index, explained, task, method(network), stored, energy, record.name)


def choose_models(store: ModelStore, volume: Volume, context: Context) -> Models:
    """Which networks will speak of a volume.

    Raises
    ------
    AnalysisError
        When one that is asked for is not installed, or the volume does not say what it is.
    """
    ct = is_ct(volume)
    recogniser = store.recogniser(ct=ct, name=context.recogniser)
    wanted = store.streams(context.streams) if ct else ()
    return Models(
        recogniser=recogniser,
        tasks=("covid-2",) if ct else ("covid-2", "cxr-4"),
        labeller=store.find("manifestations") if ct else None,
        streams=wanted,
        evidence=store.evidence(recogniser, wanted) if ct else None,
        cuts=store.cuts(context.streams) if ct else {},
    )


def explained_class(recogniser: ModelRecord, task: str, key: str) -> FindingClass:
    """The class of that key, where the recogniser can explain it.

    Raises
    ------
    AnalysisError
        When it cannot.
    """
    asked = TASKS.get(task)
    explained = None if asked is None else asked.find(key)
    if explained is None or task not in recogniser.network["heads"]:
        name = key if explained is None else explained.label
        raise AnalysisError(f"There is no heatmap for {name}; choose a recognised class.")
    return explained


def _batch(volume: Volume, context: Context) -> int:
    """Slices of the largest batch that there will be."""
    return min(context.batch_size, volume.shape[0])


def _load(engine: Engine, models: Models, volume: Volume, clock: Clock, batch: int) -> None:
    """Load weights, and make graphs the first time, while the lungs are being found.

    It has a part of its own: in no other is there time that the next analysis will not take.
    """
    with clock.part("ready"):
        for record in models.used:
            engine.get_ready(record, batch)
        if models.evidence is not None:
            engine.network(models.evidence)
        if not volume.is_ct:
            for record in (r for r in engine.store.records if r.kind == "domain"):
                engine.get_ready(record)
