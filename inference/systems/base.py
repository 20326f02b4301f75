"""The one protocol behind which the published systems run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from inference.progress import Progress

if TYPE_CHECKING:
    from inference.findings import Findings, Heatmap
    from inference.studies.model import Volume

__all__ = ["Context", "System"]


@dataclass(slots=True)
class Context:
    """What an analysis is given beside the volume.

    Parameters
    ----------
    progress
        Where to report, and how to be cancelled.
    device
        ``"auto"``, ``"cuda"``, ``"mps"`` or ``"cpu"``.
    backend
        ``"auto"``, ``"graph"`` or ``"eager"``, as `inference.engine.Engine`.
    streams
        ``"default"`` (the manifest's choice), ``"shared"``, ``"separate"`` or ``"all"``.
    read_seconds
        How long reading the volume took, for the clock.
    batch_size
        Slices a batch; halved when memory runs out.
    """

    progress: Progress = field(default_factory=Progress)
    device: str = "auto"
    backend: str = "auto"
    streams: str = "default"
    read_seconds: float = 0.0
    batch_size: int = 8


class System(Protocol):
    """A published system."""

    name: str

    def analyse(self, volume: Volume, context: Context) -> Findings:
        """Analyse a volume.

        Raises
        ------
        AnalysisError
            In words for the reader; nothing is left behind.
        CancelledError
            When the reader cancelled.
        """
        ...

    def explain(
        self, volume: Volume, slice_index: int, task: str, class_name: str, context: Context
    ) -> Heatmap:
        """Compute the heatmap of one class on one slice."""
        ...
