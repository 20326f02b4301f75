"""The one protocol behind which the published systems run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from inference.partial import PartialCallback
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
        ``"default"`` (the manifest's choice) or one of `inference.models.FORMS`.
    recogniser
        ``"default"`` (the manifest's choice) or the name of a recogniser of the volume's modality.
    read_seconds
        How long reading the volume took, for the clock.
    batch_size
        Slices a batch; halved when memory runs out. Slices are also analysed, and told of in
        `partial`, in groups of that size.
    focus
        Index of the slice that the reader looks at; the slices around it come first. None: the
        middle of what is analysed. It may be set anew, from any thread, while the analysis runs,
        and changes the order only, never the findings.
    partial
        Told of every group of slices when it is finished, on a thread of the analysis.
    """

    progress: Progress = field(default_factory=Progress)
    device: str = "auto"
    backend: str = "auto"
    streams: str = "default"
    recogniser: str = "default"
    read_seconds: float = 0.0
    batch_size: int = 8
    focus: int | None = None
    partial: PartialCallback | None = None


class System(Protocol):
    """A published system."""

    name: str

    def analyse(self, volume: Volume, context: Context) -> Findings:
        """Analyse a volume.

        What `Context.partial` was told of before an error holds no longer.

        Raises
        ------
        AnalysisError
            In words for the reader; nothing is left behind.
        CancelledError
            When the reader cancelled.
        """
        ...

    def get_ready(self, volume: Volume, context: Context) -> None:
        """Load what an analysis of the volume will need, so that its first result comes sooner.

        It may be left out, and costs nothing when it has been done.

        Raises
        ------
        AnalysisError
            In words for the reader.
        CancelledError
            When the reader cancelled.
        """
        ...

    def explain(
        self, volume: Volume, slice_index: int, task: str, key: str, context: Context
    ) -> Heatmap:
        """Compute the heatmap of the class of that key on one slice."""
        ...
