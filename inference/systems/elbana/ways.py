"""Where slices are prepared, and probabilities become masks: on the host, or beside the networks.

A way holds what is between the networks' stages in its own form (NumPy's arrays, or tensors on the
device), which the analysis hands through without looking into it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from threading import Event
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from inference.cuts import Cut
from inference.engine import Engine
from inference.findings import Manifestation
from inference.models import ModelRecord
from inference.preprocess import Box
from inference.progress import Progress
from inference.studies.model import Volume
from inference.systems.elbana.masks import (
    enter,
    keep_to_lungs,
    mean_of_networks,
    stream_probabilities,
)
from inference.systems.elbana.planning import Plan, Prepared, prepare_pictures

__all__ = ["HostWay", "Way"]

Values = TypeVar("Values")


class Way(Protocol[Values]):
    """Preparing and finishing, in one form of `Values`."""

    def prepare(self, group: NDArray[np.intp], cancelled: Event) -> Prepared[Values]:
        """Prepare slices for every network.

        Parameters
        ----------
        group
            Which slices.
        cancelled
            Looked at now and then.

        Raises
        ------
        CancelledError
            When it is set.
        """
        ...

    def run(
        self,
        record: ModelRecord,
        pictures: Values,
        stage: str,
        progress: Progress,
        batch: int,
        notes: list[str],
    ) -> dict[str, Values]:
        """Outputs of a network by name; parameters and errors are those of `Engine.run`."""
        ...

    def rows(self, outputs: Values) -> NDArray[np.float32]:
        """An output with a row a slice, (n, k), on the host."""
        ...

    def maps(
        self, outputs: Mapping[str, Values], silent: Collection[str]
    ) -> dict[Manifestation, Values]:
        """As `masks.stream_probabilities`."""
        ...

    def codes(
        self,
        group: NDArray[np.intp],
        maps: Sequence[dict[Manifestation, Values]],
        boxes: Sequence[Box | None],
        cuts: Mapping[Manifestation, Cut],
    ) -> NDArray[np.uint8]:
        """Codes of a group on the source grid, kept to the lungs, on the host.

        Parameters
        ----------
        group
            Which slices.
        maps
            Of every network of the streams, probabilities by manifestation, (n, size, size).
        boxes
            Length n: what of each slice the networks were shown.
        cuts
            How each stream calls its pixels.

        Returns
        -------
        ndarray
            Shape (n, rows, columns), uint8, as of `masks.combine`.
        """
        ...


class HostWay:
    """With OpenCV and NumPy, slice by slice.

    Parameters
    ----------
    engine
        Runs the networks.
    volume, plan
        What is analysed.
    wanted
        Sides of the networks' inputs in pixels, and their framings.
    """

    def __init__(
        self, engine: Engine, volume: Volume, plan: Plan, wanted: set[tuple[int, str]]
    ) -> None:
        self._engine = engine
        self._volume = volume
        self._plan = plan
        self._wanted = wanted

    def prepare(self, group: NDArray[np.intp], cancelled: Event) -> Prepared[NDArray[Any]]:
        """As `Way.prepare`; looks before every slice whether it is cancelled."""
        return prepare_pictures(self._volume, group, self._plan.box, self._wanted, cancelled)

    def run(
        self,
        record: ModelRecord,
        pictures: NDArray[Any],
        stage: str,
        progress: Progress,
        batch: int,
        notes: list[str],
    ) -> dict[str, NDArray[Any]]:
        """As `Way.run`."""
        batches = self._engine.run(record, pictures, stage, progress, batch, notes)
        return {
            name: np.concatenate(parts) for name, parts in by_name(o for _, o in batches).items()
        }

    def rows(self, outputs: NDArray[Any]) -> NDArray[np.float32]:
        """As `Way.rows`."""
        return outputs

    def maps(
        self, outputs: Mapping[str, NDArray[Any]], silent: Collection[str]
    ) -> dict[Manifestation, NDArray[Any]]:
        """As `Way.maps`."""
        return stream_probabilities(outputs, silent)

    def codes(
        self,
        group: NDArray[np.intp],
        maps: Sequence[dict[Manifestation, NDArray[Any]]],
        boxes: Sequence[Box | None],
        cuts: Mapping[Manifestation, Cut],
    ) -> NDArray[np.uint8]:
        """As `Way.codes`."""
        codes = np.zeros((len(boxes), *self._volume.shape[1:]), dtype=np.uint8)
        together = mean_of_networks(maps)
        for place, box in enumerate(boxes):
            enter({key: values[place] for key, values in together.items()}, codes[place], box, cuts)
        if self._plan.lungs is not None:
            keep_to_lungs(codes, self._plan.lungs.mask[group], self._volume)
        return codes


def by_name(outputs: Iterable[Mapping[str, Values]]) -> dict[str, list[Values]]:
    """What batches say, gathered by the name of the output."""
    parts: dict[str, list[Values]] = {}
    for output in outputs:
        for name, values in output.items():
            parts.setdefault(name, []).append(values)
    return parts
