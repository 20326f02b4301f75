"""The networks over the slices, group by group, the ones that the reader looks at first.

A second thread prepares the next group's pictures and finishes the last group's masks while the
networks run: NumPy, OpenCV and torch let each other work. Where it does so, on the host or on the
device, is up to a `Way`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.clock import Clock
from inference.cuts import Cut
from inference.engine import Engine
from inference.errors import CancelledError
from inference.findings import Estimate, Manifestation
from inference.models import ModelRecord
from inference.networks.evidence import EVIDENCE
from inference.partial import Partial
from inference.preprocess import Box
from inference.progress import Progress
from inference.systems.base import Context
from inference.systems.elbana.device_way import DeviceWay
from inference.systems.elbana.estimates import make_estimate, slice_values
from inference.systems.elbana.joining import join
from inference.systems.elbana.planning import Groups, Plan, Prepared
from inference.systems.elbana.ways import HostWay, Way
from inference.upright import Upright

__all__ = ["Models", "Runner"]

STAGE = "Analysing slices"
MOST_UNFINISHED = 2
"""Groups whose masks may wait for the second thread; more would only take memory."""

Logits = dict[str, NDArray[np.float32]]
Maps = dict[Manifestation, Any]
"""In the form of the way."""


JOINED = "covid-2"
"""The task in which the recogniser is joined with the evidence."""


@dataclass(frozen=True, eq=False, slots=True)
class _Said:
    """What the networks say of a group: logits by task, those before joining by model, maps.

    `marked`, (n, 1), grows with what the streams mark, where there is evidence; `boxes` are the
    parts of the slices that the maps show.
    """

    logits: Logits
    alone: Logits
    marked: Logits
    maps: list[Maps]
    boxes: list[Box | None]


@dataclass(frozen=True, slots=True)
class Models:
    """Which networks speak.

    Parameters
    ----------
    recogniser, tasks
        Stage 1, and those of its heads that are asked.
    labeller
        Stage 2; None on X-ray.
    streams
        Stage 3; empty on X-ray.
    evidence
        Judges by what the streams saw, and is joined with the recogniser; None where there is none
        for these weights.
    cuts
        How the streams' probabilities become masks; at one half where none is named.
    """

    recogniser: ModelRecord
    tasks: tuple[str, ...]
    labeller: ModelRecord | None
    streams: tuple[ModelRecord, ...]
    evidence: ModelRecord | None = None
    cuts: Mapping[Manifestation, Cut] = field(default_factory=dict)

    def parts(self) -> tuple[tuple[str, ModelRecord], ...]:
        """The part of the clock in which each is counted, in order of work."""
        labeller = () if self.labeller is None else (("label", self.labeller),)
        streams = tuple(("segment", record) for record in self.streams)
        return (("recognise", self.recogniser), *labeller, *streams)

    @property
    def used(self) -> tuple[ModelRecord, ...]:
        """All that look at pictures."""
        return tuple(record for _, record in self.parts())

    @property
    def spoke(self) -> tuple[ModelRecord, ...]:
        """All of them."""
        return self.used if self.evidence is None else (*self.used, self.evidence)


class Runner:
    """One analysis: every stage over one group of slices after the other.

    Parameters
    ----------
    engine, models
        What computes.
    upright, plan
        What is analysed; finished groups are told as they lie on the stored grid.
    context
        Size of a group, focus, progress, and who is told of finished groups.
    notes
        Gets a sentence when memory ran out.
    clock
        Counts the parts, on both threads.
    doubts
        Sentences that go with every group, since it is no less doubtful than the whole.
    """

    def __init__(
        self,
        engine: Engine,
        models: Models,
        upright: Upright,
        plan: Plan,
        context: Context,
        notes: list[str],
        clock: Clock,
        doubts: tuple[str, ...] = (),
    ) -> None:
        self._doubts = doubts
        self._engine = engine
        self._models = models
        self._upright = upright
        self._volume = volume = upright.volume
        self._plan = plan
        self._context = context
        self._notes = notes
        self._clock = clock
        wanted = {(record.size, record.framing) for record in models.used}
        way = DeviceWay if engine.keeps_on_device else HostWay
        self._way: Way[Any] = way(engine, volume, plan, wanted)
        self._planned = np.zeros(volume.shape[0], dtype=bool)
        self._planned[plan.indices] = True
        self._batch = context.batch_size
        self._done = 0
        self._logits: Logits = {}
        self._alone: Logits = {}
        self._marked: Logits = {}
        self.codes = np.zeros(volume.shape, dtype=np.uint8) if models.streams else None
        """After `run`: shape of the upright volume, 0 none, else 1 + place in `Manifestation`."""

    def run(self, helper: Executor) -> None:
        """Analyse every group.

        Parameters
        ----------
        helper
            One thread beside this one; idle again when this returns, whatever happens.

        Raises
        ------
        CancelledError
            When the reader cancelled; takes effect before the next batch.
        """
        groups = Groups(self._plan.indices, self._context.batch_size)
        waiting: deque[Future[None]] = deque()
        ahead = self._prepare_next(groups, helper)
        while ahead is not None:
            self._report()
            group, prepared = ahead.result()
            ahead = self._prepare_next(groups, helper)
            said = self._infer(prepared)
            waiting.append(helper.submit(self._finish, group, said))
            self._done += len(group)
            while len(waiting) > MOST_UNFINISHED:
                waiting.popleft().result()
        for future in waiting:
            future.result()
        self._report()

    def estimates(self) -> tuple[Estimate, ...]:
        """After `run`: what the slices say about the study."""
        indices, slices = self._plan.indices, self._volume.shape[0]
        return tuple(
            make_estimate(
                task,
                values[indices],
                indices,
                slices,
                self._model_of(task),
                {n: z[indices] for n, z in self._alone.items()} if task == JOINED else None,
                self._marked[JOINED][indices, 0] if task in self._marked else None,
            )
            for task, values in self._logits.items()
        )

    def _model_of(self, task: str) -> ModelRecord:
        models = self._models
        if task == "manifestations" and models.labeller is not None:
            return models.labeller
        if task == JOINED and models.evidence is not None:
            return models.evidence
        return models.recogniser

    def _report(self) -> None:
        self._context.progress.report(STAGE, self._done, len(self._plan.indices))

    # -- before the networks -----------------------------------------------------------------

    def _prepare_next(
        self, groups: Groups, helper: Executor
    ) -> Future[tuple[NDArray[np.intp], Prepared[Any]]] | None:
        group = groups.take(self._context.focus)
        return None if group is None else helper.submit(self._prepare, group)

    def _prepare(self, group: NDArray[np.intp]) -> tuple[NDArray[np.intp], Prepared[Any]]:
        with self._clock.part("pre"):
            return group, self._way.prepare(group, self._context.progress.cancelled)

    # -- the networks ------------------------------------------------------------------------

    def _infer(self, prepared: Prepared[Any]) -> _Said:
        """The three stages over one group, and the first joined with what the third saw."""
        models, way = self._models, self._way
        with self._clock.part("recognise"):
            heads = self._outputs(models.recogniser, prepared)
            logits = {task: way.rows(heads[task]) for task in models.tasks}
        if models.labeller is not None:
            with self._clock.part("label"):
                said = self._outputs(models.labeller, prepared)
                logits["manifestations"] = way.rows(said[""])
        maps = []
        alone: Logits = {}
        marked: Logits = {}
        for record in models.streams:
            with self._clock.part("segment"):
                outputs = self._outputs(record, prepared)
                maps.append(way.maps(outputs, record.silent))
            fitted = models.evidence is not None and record.name in models.evidence.fitted_to
            if models.evidence is not None and fitted and EVIDENCE in outputs:
                with self._clock.part("recognise"):
                    row = way.rows(outputs[EVIDENCE])
                    both = join(self._engine, models.evidence, logits[JOINED], row)
                names = (models.recogniser.name, models.evidence.name)
                alone = dict(zip(names, (logits[JOINED], both.alone), strict=True))
                logits[JOINED] = both.joined
                marked[JOINED] = both.parts[:, 1:]
        # Streams of one form are shown the same part (`ModelStore.streams`).
        boxes = prepared.boxes[models.streams[0].framing] if models.streams else []
        return _Said(logits, alone, marked, maps, boxes)

    def _outputs(self, record: ModelRecord, prepared: Prepared[Any]) -> dict[str, Any]:
        """Outputs of a network; a batch that was too large is not tried again."""
        told: list[str] = []
        # The engine counts the slices of this group; the reader is told of those of the study.
        inner = Progress(cancelled=self._context.progress.cancelled)
        pictures = prepared.pictures[record.size, record.framing]
        outputs = self._way.run(record, pictures, STAGE, inner, self._batch, told)
        if told:
            self._batch = max(1, self._batch // 2 ** len(told))
            self._notes += [note for note in told if note not in self._notes]
        return outputs

    # -- after the networks ------------------------------------------------------------------

    def _finish(self, group: NDArray[np.intp], said: _Said) -> None:
        """Masks of a group onto the source grid; then its result is told."""
        if self._context.progress.cancelled.is_set():
            raise CancelledError
        with self._clock.part("post"):
            codes = self._codes_of(group, said) if self.codes is not None else None
            self._keep(self._logits, group, said.logits)
            self._keep(self._alone, group, said.alone)
            self._keep(self._marked, group, said.marked)
        if self._context.partial is not None:
            estimates = tuple(
                slice_values(task, values, self._model_of(task))
                for task, values in said.logits.items()
            )
            self._context.partial(
                Partial(
                    self._volume.series_uid,
                    self._upright.stored_shape,
                    self._planned,
                    group,
                    estimates,
                    None if codes is None else self._upright.back(codes),
                    self._doubts,
                )
            )

    def _keep(self, where: Logits, group: NDArray[np.intp], said: Logits) -> None:
        """Enter a group's logits among those of all slices."""
        for name, values in said.items():
            shape = (self._volume.shape[0], values.shape[1])
            where.setdefault(name, np.full(shape, np.nan, dtype=np.float32))[group] = values

    def _codes_of(self, group: NDArray[np.intp], said: _Said) -> NDArray[np.uint8]:
        """Masks of a group; every stream's map of a slice is needed before its pixels are dealt."""
        codes = self._way.codes(group, said.maps, said.boxes, self._models.cuts)
        if self.codes is not None:
            self.codes[group] = codes
        return codes
