"""The system: plan, networks and findings put together; and its explanation of a slice."""

from __future__ import annotations

import weakref
from datetime import UTC, datetime

import numpy as np

from inference.engine import Clock, Engine
from inference.errors import AnalysisError
from inference.findings import Findings, Heatmap
from inference.heat_energy import energy_inside
from inference.models import ModelStore
from inference.preprocess import prepare, restore, to_picture, to_tensor
from inference.studies.model import Volume
from inference.systems.base import Context
from inference.systems.elbana.estimates import CLASSES
from inference.systems.elbana.masks import make_segments
from inference.systems.elbana.planning import Plan, is_ct, make_plan, prepare_pictures
from inference.systems.elbana.runner import Runner

__all__ = ["ElBana"]


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
        self._engine: tuple[tuple[str, str], Engine] | None = None
        self._planned: tuple[weakref.ref[Volume], Plan] | None = None

    def _engine_for(self, context: Context) -> Engine:
        wish = (context.device, context.backend)
        if self._engine is None or self._engine[0] != wish:
            device, backend = wish
            self._engine = (wish, Engine(self._store, device, self._precision, backend))
        return self._engine[1]

    def _plan_for(self, volume: Volume) -> Plan:
        if self._planned is None or self._planned[0]() is not volume:
            self._planned = (weakref.ref(volume), make_plan(volume))
        return self._planned[1]

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
        engine = self._engine_for(context)
        with clock.part("pre"):
            progress.report("Finding the lungs", 0, 1)
            plan = self._plan_for(volume)
            recogniser = self._store.recogniser(ct=plan.is_ct)
            labeller = self._store.find("manifestations") if plan.is_ct else None
            streams = self._store.streams(context.streams) if plan.is_ct else ()
            used = [r for r in (recogniser, labeller, *streams) if r is not None]
            pictures = prepare_pictures(
                volume, plan, {r.size for r in used}, progress, context.batch_size
            )
        notes = list(plan.notes)
        runner = Runner(engine, pictures, context, notes, volume.shape[0], plan)
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
            segments = () if masks is None else make_segments(masks, volume, plan, streams)
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
            device=engine.describe(used),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            notes=(*notes, *engine.remarks(used)),
        )

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

        record = self._store.recogniser(ct=is_ct(volume))
        if task not in record.network["heads"] or class_name not in CLASSES[task]:
            raise AnalysisError(f"There is no heatmap for {class_name}; choose a recognised class.")
        context.progress.report("Explaining", 0, 1)
        engine = self._engine_for(context)
        network = engine.network(record)
        if not isinstance(network, InceptionRecogniser):
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
        return Heatmap(slice_index, class_name, task, METHOD, values, energy)
