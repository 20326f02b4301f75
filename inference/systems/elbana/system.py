"""The system: plan, networks and findings put together; and its explanation of a slice."""

from __future__ import annotations

import weakref
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import numpy as np

from inference.domain import examine
from inference.engine import Clock, Engine
from inference.errors import AnalysisError
from inference.findings import Findings, Heatmap, Segment
from inference.heat_energy import energy_inside
from inference.models import ModelStore
from inference.preprocess import prepare, restore, to_picture, to_tensor
from inference.studies.model import Volume
from inference.systems.base import Context
from inference.systems.elbana.estimates import CLASSES
from inference.systems.elbana.masks import make_segments
from inference.systems.elbana.planning import Plan, is_ct, make_plan
from inference.systems.elbana.runner import Models, Runner

__all__ = ["ElBana"]


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

    def _plan_for(self, volume: Volume) -> Plan:
        if self._planned is None or self._planned[0]() is not volume:
            self._planned = (weakref.ref(volume), make_plan(volume))
        return self._planned[1]

    def _models_for(self, volume: Volume, context: Context) -> Models:
        store, ct = self._store, is_ct(volume)
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

    def get_ready(self, volume: Volume, context: Context) -> None:
        """Load the weights that an analysis of the volume needs.

        Raises
        ------
        AnalysisError
            When they cannot be loaded.
        CancelledError
            When it is no longer wanted.
        """
        engine = self._engine_for(context)
        for record in self._models_for(volume, context).used:
            context.progress.report("Loading the models", 0, 0)
            engine.get_ready(record, _batch(volume, context))

    def analyse(self, volume: Volume, context: Context) -> Findings:
        """Analyse a CT or an X-ray.

        Parameters
        ----------
        volume
            Modality CT, CR or DX; a picture must have been told which.
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
        engine = self._engine_for(context)
        progress.report("Finding the lungs", 0, 1)
        models = self._models_for(volume, context)
        with ThreadPoolExecutor(1, "analysis-helper") as helper:
            loaded = helper.submit(_load, engine, models, clock, _batch(volume, context))
            with clock.part("pre"):
                plan = self._plan_for(volume)
            loaded.result()
            notes = list(plan.notes)
            if models.streams:
                why = self._store.why_no_evidence(models.recogniser, models.streams)
                notes += [why] if why else []
            with clock.part("pre"):
                domain, detectors = examine(volume, plan.lungs, engine, progress, notes)
            doubts = () if domain is None else domain.reasons
            notes[:0] = doubts
            runner = Runner(engine, models, volume, plan, context, notes, clock, doubts)
            try:
                runner.run(helper)
            except BaseException:
                helper.shutdown(cancel_futures=True)
                raise
        with clock.part("post"):
            progress.report("Measuring", 0, 1)
            lungs = None if plan.lungs is None else plan.lungs.mask
            segments: tuple[Segment, ...] = ()
            if runner.codes is not None:
                segments = make_segments(runner.codes, volume, lungs, models.streams, models.cuts)
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
        self, volume: Volume, slice_index: int, task: str, class_name: str, context: Context
    ) -> Heatmap:
        """Grad-CAM of one class on one slice, on the source grid; of the recogniser alone.

        Raises
        ------
        AnalysisError
            When that task or class has no such explanation.
        """
        from inference.explain import grad_cam, method
        from inference.networks.recognition import Recogniser

        record = self._store.recogniser(ct=is_ct(volume), name=context.recogniser)
        if task not in record.network["heads"] or class_name not in CLASSES[task]:
            raise AnalysisError(f"There is no heatmap for {class_name}; choose a recognised class.")
        context.progress.report("Explaining", 0, 1)
        engine = self._engine_for(context)
        network = engine.network(record)
        if not isinstance(network, Recogniser):
            raise AnalysisError("The recognition model is not one that can be explained.")
        plan = self._plan_for(volume)
        picture = prepare(to_picture(volume, slice_index), record.size, plan.box)
        x = to_tensor(picture[np.newaxis]).to(engine.device)
        heat = grad_cam(network, x, task, CLASSES[task].index(class_name))
        values = restore(heat[np.newaxis], volume.shape[1:], plan.box)[0]
        energy = None
        if plan.lungs is not None:
            seen = None if plan.box is None else plan.box.mask(values.shape)
            energy = energy_inside(values, plan.lungs.mask[slice_index], seen)
        context.progress.report("Explaining", 1, 1)
        return Heatmap(slice_index, class_name, task, method(network), values, energy, record.name)


def _batch(volume: Volume, context: Context) -> int:
    """Slices of the largest batch that there will be."""
    return min(context.batch_size, volume.shape[0])


def _load(engine: Engine, models: Models, clock: Clock, batch: int) -> None:
    """Load weights while the lungs are being found; counted with the stage that needs them."""
    for part, record in models.parts():
        with clock.part(part):
            engine.get_ready(record, batch)
