"""Preparing and finishing beside the networks: slices go to the device once, codes come back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from threading import Event

import numpy as np
import torch
from numpy.typing import NDArray

from inference.backends.lane import Lane
from inference.cuts import Cut
from inference.engine import Engine
from inference.errors import CancelledError
from inference.findings import Manifestation
from inference.framing import WHOLE
from inference.lungs import reach_squared
from inference.models import ModelRecord
from inference.ondevice.growing import grown
from inference.ondevice.marking import combined, mean_of_networks, sigmoid, to_levels
from inference.ondevice.preparing import Preparer
from inference.ondevice.resizing import Maps
from inference.preprocess import Box
from inference.progress import Progress
from inference.studies.model import Unit, Volume
from inference.systems.elbana.masks import combine_levels, keep_to_lungs, margins, stream_scores
from inference.systems.elbana.planning import Plan, Prepared
from inference.systems.elbana.ways import HostWay, by_name

__all__ = ["DeviceWay"]

Probabilities = dict[Manifestation, torch.Tensor]


class DeviceWay:
    """In torch, a group at a time, on the device of the engine.

    What takes connected components or contours stays on the host: pictures that are framed by what
    they show, and cuts that are grown from seeds. So do pictures without Hounsfield units, which
    are few, and margins on grids whose pixels are not square. Where the device lacks the memory,
    the host helps out.

    Parameters
    ----------
    engine, volume, plan, wanted
        As `ways.HostWay`.
    """

    def __init__(
        self, engine: Engine, volume: Volume, plan: Plan, wanted: set[tuple[int, str]]
    ) -> None:
        self._engine = engine
        self._volume = volume
        self._plan = plan
        self._wanted = wanted
        self._host = HostWay(engine, volume, plan, wanted)
        self._lane = Lane(engine.device)
        self._maps = Maps()
        self._preparer: Preparer | None = None
        alike = plan.box is not None or all(framing == WHOLE for _, framing in wanted)
        self._prepares = volume.unit is Unit.HU and alike

    def prepare(self, group: NDArray[np.intp], cancelled: Event) -> Prepared[torch.Tensor]:
        """As `Way.prepare`."""
        if cancelled.is_set():
            raise CancelledError
        if self._prepares:
            try:
                return self._prepare_there(group)
            except torch.OutOfMemoryError:
                self._prepares = False
                self._preparer = None
        prepared = self._host.prepare(group, cancelled)
        pictures = {key: torch.from_numpy(made) for key, made in prepared.pictures.items()}
        return Prepared(pictures, prepared.boxes)

    def _prepare_there(self, group: NDArray[np.intp]) -> Prepared[torch.Tensor]:
        with self._lane.turn():
            if self._preparer is None:
                rows, columns = self._volume.shape[1:]
                sizes = {size for size, _ in self._wanted}
                self._preparer = Preparer((rows, columns), self._plan.box, sizes, self._lane.device)
            made = self._preparer(self._lane.send(self._volume.array, group))
        return Prepared(
            {(size, framing): made[size] for size, framing in self._wanted},
            {framing: [self._plan.box] * len(group) for _, framing in self._wanted},
        )

    def run(
        self,
        record: ModelRecord,
        pictures: torch.Tensor,
        stage: str,
        progress: Progress,
        batch: int,
        notes: list[str],
    ) -> dict[str, torch.Tensor]:
        """As `Way.run`."""
        batches = self._engine.run_there(record, pictures, stage, progress, batch, notes)
        return {
            # After memory ran out, the last batches may lie elsewhere than the first.
            name: parts[0] if len(parts) == 1 else torch.cat(_together(parts))
            for name, parts in by_name(o for _, o in batches).items()
        }

    def rows(self, outputs: torch.Tensor) -> NDArray[np.float32]:
        """As `Way.rows`."""
        return np.asarray(outputs.cpu().numpy())

    def maps(self, outputs: Mapping[str, torch.Tensor], silent: Collection[str]) -> Probabilities:
        """As `Way.maps`, but logits still: they become probabilities in `codes`."""
        scores = stream_scores(outputs, silent)
        # Another thread goes on with them, in a queue that does not wait for this one.
        self._engine.wait()
        return scores

    def codes(
        self,
        group: NDArray[np.intp],
        maps: Sequence[Probabilities],
        boxes: Sequence[Box | None],
        cuts: Mapping[Manifestation, Cut],
    ) -> NDArray[np.uint8]:
        """As `Way.codes`, of what `maps` gave."""
        try:
            return self._codes(group, maps, boxes, cuts)
        except torch.OutOfMemoryError:
            here = [{key: values.cpu() for key, values in part.items()} for part in maps]
            return self._codes(group, here, boxes, cuts)

    def _codes(
        self,
        group: NDArray[np.intp],
        logits: Sequence[Probabilities],
        boxes: Sequence[Box | None],
        cuts: Mapping[Manifestation, Cut],
    ) -> NDArray[np.uint8]:
        lungs, (row_mm, column_mm) = self._plan.lungs, self._volume.spacing[1:]
        with self._lane.turn():
            # After memory ran out, what the last networks say may lie elsewhere than the first.
            home = next(values.device for part in reversed(logits) for values in part.values())
            said = [{k: sigmoid(v.to(home)) for k, v in part.items()} for part in logits]
            codes = self._marked(mean_of_networks(said, self._maps), boxes, cuts)
            if lungs is not None and row_mm == column_mm:
                self._keep(codes, self._lane.send(lungs.mask, group).to(home))
            marked = self._lane.fetch(codes)
        if lungs is not None and row_mm != column_mm:
            keep_to_lungs(marked, lungs.mask[group], self._volume)
        return marked

    def _marked(
        self,
        maps: Probabilities,
        boxes: Sequence[Box | None],
        cuts: Mapping[Manifestation, Cut],
    ) -> torch.Tensor:
        """Codes on the source grid, wherever the lungs are."""
        rows, columns = self._volume.shape[1:]
        home = next(iter(maps.values())).device
        codes = torch.zeros((len(boxes), rows, columns), dtype=torch.uint8, device=home)
        for box in dict.fromkeys(boxes):
            shown = Box(0, rows, 0, columns) if box is None else box
            places = [place for place, one in enumerate(boxes) if one == box]
            alike = places if len(places) < len(boxes) else slice(None)
            shape = (shown.bottom - shown.top, shown.right - shown.left)
            levels = {
                key: to_levels(self._maps.resized(values[alike], shape))
                for key, values in maps.items()
            }
            inside = np.s_[shown.top : shown.bottom, shown.left : shown.right]
            codes[alike, *inside] = self._cut(levels, cuts)
        return codes

    def _cut(
        self, levels: dict[Manifestation, torch.Tensor], cuts: Mapping[Manifestation, Cut]
    ) -> torch.Tensor:
        if all(cut.is_plain for key, cut in cuts.items() if key in levels):
            return combined(levels, cuts)
        here = np.stack([self._lane.fetch(values) for values in levels.values()], axis=1)
        codes = np.stack([combine_levels(one, list(levels), cuts) for one in here])
        return torch.from_numpy(codes).to(next(iter(levels.values())).device)

    def _keep(self, codes: torch.Tensor, lungs: torch.Tensor) -> None:
        """As `masks.keep_to_lungs`."""
        for margin, held in margins(codes):
            # Most slices hold nothing, and growing a mask is the dear part.
            some = held.flatten(1).any(dim=1).nonzero().flatten()
            if len(some):
                reach = reach_squared(margin, self._volume.spacing[1])
                away = held[some] & ~grown(lungs[some], reach)
                codes[some] = torch.where(away, 0, codes[some])


def _together(parts: list[torch.Tensor]) -> list[torch.Tensor]:
    return [part.to(parts[-1].device) for part in parts]
