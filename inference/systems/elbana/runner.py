"""The three stages over the prepared pictures of one analysis."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from inference.engine import Engine
from inference.findings import Estimate
from inference.models import ModelRecord
from inference.studies.model import Volume
from inference.systems.base import Context
from inference.systems.elbana.estimates import make_estimate
from inference.systems.elbana.masks import enter, stream_probabilities
from inference.systems.elbana.planning import Plan

__all__ = ["Runner"]


class Runner:
    """One analysis: the three stages over the prepared pictures."""

    def __init__(
        self,
        engine: Engine,
        pictures: dict[int, NDArray[np.uint8]],
        context: Context,
        notes: list[str],
        slices: int,
        plan: Plan,
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

    def _estimate(self, task: str, logits: NDArray[np.float32], record: ModelRecord) -> Estimate:
        return make_estimate(task, logits, self._plan.indices, self._slices, record)

    def recognise(self, record: ModelRecord, tasks: tuple[str, ...]) -> list[Estimate]:
        """Stage 1."""
        logits = self._logits(record, "Recognising")
        return [self._estimate(task, logits[task], record) for task in tasks]

    def label(self, record: ModelRecord) -> Estimate:
        """Stage 2."""
        logits = self._logits(record, "Labelling manifestations")[""]
        return self._estimate("manifestations", logits, record)

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
                    here = {key: values[offset] for key, values in maps.items()}
                    enter(here, codes[index], best[index], self._plan.box)
        return codes
