"""What every system needs, once: device, precision, batches, cancelling, progress."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inference import device as devices
from inference.backends import BackendError, Logits, Runner, TensorRunner, Tensors
from inference.backends.cache import Cache
from inference.backends.eager import EagerRunner
from inference.backends.fixed import FixedShapeRunner
from inference.backends.precisions import BFLOAT16, FLOAT32, INT8, read_notes
from inference.errors import AnalysisError, BadInputError
from inference.models import ModelRecord, ModelStore
from inference.outputs import require_numbers
from inference.progress import Progress

__all__ = ["BACKENDS", "PRECISIONS", "Engine"]

BACKENDS = ("auto", "graph", "eager")
PRECISIONS = ("auto", FLOAT32, BFLOAT16, INT8)

Output = TypeVar("Output", Logits, Tensors)
Answer = TypeVar("Answer")


class Engine:
    """Runs networks over pictures on the best device, and remembers loaded networks.

    Parameters
    ----------
    store
        Where the weights are.
    device
        As `inference.device.choose`.
    precision
        ``"auto"``: what is fast here and was measured to cost little; ``"float32"``: PyTorch in
        float32, whose figures repeat; with ``backend="graph"`` also ``"bfloat16"``, ``"int8"``.
    backend
        ``"graph"``: an exported graph, on the CPU; ``"eager"``: PyTorch, step by step; ``"auto"``:
        an exported graph on the CPU, a recorded one on CUDA.
    cache
        Keeps graphs; None: the user's cache folder.
    on_device
        Whether pictures are prepared, and logits become masks, where the networks run; None: on
        CUDA, except where figures have to repeat. True runs the same steps on the CPU, for tests.

    Raises
    ------
    BadInputError
        When the device is not there, or backend and device do not go together.
    """

    def __init__(
        self,
        store: ModelStore,
        device: str = "auto",
        precision: str = "auto",
        backend: str = "auto",
        cache: Cache | None = None,
        on_device: bool | None = None,
    ) -> None:
        if backend not in BACKENDS:
            raise BadInputError(
                f"There is no backend {backend!r}; choose one of {', '.join(BACKENDS)}."
            )
        if precision not in PRECISIONS:
            raise BadInputError(
                f"There is no precision {precision!r}; choose one of {', '.join(PRECISIONS)}."
            )
        if precision in {INT8, BFLOAT16} and backend != "graph":
            raise BadInputError(f"Only the graph backend can be told to use {precision}.")
        self.store = store
        on_cpu = backend == "graph" and device == "auto"
        self._chosen = devices.choose("cpu" if on_cpu else device)
        self.device = self._chosen
        if backend == "graph" and self.device.type != "cpu":
            raise BadInputError("Graphs run on the CPU; use --device cpu or --backend eager.")
        if self.device.type == "cpu":
            devices.keep_freed_memory()
        self._precision = precision
        self._backend = backend
        self._cache = cache or Cache()
        self._on_device = on_device
        self._graph_notes = read_notes(store)
        self._networks: dict[str, nn.Module] = {}
        self._runners: dict[str, Runner] = {}
        self._remarks: dict[str, str] = {}
        self._lock = threading.RLock()

    @property
    def dtype(self) -> torch.dtype | None:
        """The 16-bit type in use, or None for float32."""
        return devices.low_precision(self.device) if self._precision == "auto" else None

    @property
    def keeps_on_device(self) -> bool:
        """Whether whoever asks should keep pictures and outputs there (`run_there`)."""
        return self._one_shape if self._on_device is None else self._on_device

    @property
    def _one_shape(self) -> bool:
        """Networks are recorded at one shape: on CUDA, unless figures have to repeat."""
        repeats = self._backend == "eager" or self._precision == FLOAT32
        return self.device.type == "cuda" and not repeats

    def describe(self, records: Sequence[ModelRecord] = ()) -> str:
        """Device, backend and precision for the reader.

        Parameters
        ----------
        records
            The models that ran; none: every model that has run so far.
        """
        names: dict[str, list[str]] = {}
        wanted = {r.sha256: r.name for r in records or self.store.records}
        with self._lock:
            runners = list(self._runners.items())
        for digest, runner in runners:
            if digest in wanted:
                names.setdefault(runner.kind, []).append(wanted[digest])
        kinds = sorted(names, key=lambda kind: -len(names[kind]))
        parts = kinds[:1] + [f"{kind} for {', '.join(sorted(names[kind]))}" for kind in kinds[1:]]
        return ", ".join([devices.describe(self.device), *parts])

    def remarks(self, records: Sequence[ModelRecord]) -> tuple[str, ...]:
        """Sentences on what did not go as planned with these models, e.g. a backend that failed."""
        return tuple(self._remarks[r.sha256] for r in records if r.sha256 in self._remarks)

    def renew(self) -> None:
        """Begin an analysis, on the device that was chosen.

        An earlier one may have had to leave it, since memory ran out: that was the memory of then,
        and its size of a slice.
        """
        with self._lock:
            if self.device != self._chosen:
                self._move(self._chosen)
                self._remarks.clear()

    def _move(self, device: torch.device) -> None:
        """Go to another device; what was made for the last one is let go of."""
        with self._lock:
            self.device = device
            self._networks.clear()
            self._runners.clear()

    def network(self, record: ModelRecord) -> nn.Module:
        """The PyTorch network of a record on the device; loaded and checked once."""
        with self._lock:
            found = self._networks.get(record.sha256)
            if found is None:
                found = devices.channels_last(self.store.load(record).to(self.device))
                self._networks[record.sha256] = found
            return found

    def get_ready(self, record: ModelRecord, batch: int = 0) -> None:
        """Load all that `run` needs of a record, so that its first batch need not wait.

        Parameters
        ----------
        record
            Which network.
        batch
            Pictures a batch, where that is known.
        """
        runner = self._runner(record)
        if batch and isinstance(runner, FixedShapeRunner):
            # What fails now will fail in `run`, which knows what to do.
            with suppress(torch.OutOfMemoryError, BackendError):
                runner.get_ready((batch, record.size, record.size))

    def _runner(self, record: ModelRecord) -> Runner:
        with self._lock:
            runner = self._runners.get(record.sha256)
            if runner is None:
                runner = (
                    self._fixed_runner(record)
                    or self._graph_runner(record)
                    or self._eager_runner(record)
                )
                self._runners[record.sha256] = runner
            return runner

    def _eager_runner(self, record: ModelRecord) -> Runner:
        return EagerRunner(self.network(record), self.device, self.dtype)

    def _fixed_runner(self, record: ModelRecord) -> Runner | None:
        """PyTorch at one shape, which pays on CUDA; None elsewhere or where it is not wanted."""
        if not (self._one_shape or self._on_device):
            return None
        return FixedShapeRunner(self.network(record), self.device, self.dtype)

    def _graph_runner(self, record: ModelRecord) -> Runner | None:
        """A runner of the exported graph; None where there is none or it is not wanted."""
        automatic = self._backend == "auto" and self._precision == "auto"
        if self.device.type != "cpu" or not (automatic or self._backend == "graph"):
            return None
        from inference.backends.choice import choose_runner

        wanted = None if self._precision == "auto" else self._precision
        notes = self._graph_notes.get(record.sha256)
        try:
            return choose_runner(self.store, record, notes, self._cache, wanted)
        except BackendError as error:
            self._remark(record, error)
            return None

    def _remark(self, record: ModelRecord, error: BackendError) -> None:
        self._remarks[record.sha256] = (
            f"The faster form of {record.name} could not be used ({error}); it ran step by "
            "step in PyTorch, which is slower."
        )

    def _fall_back(self, batch: int, notes: list[str]) -> int:
        """After memory ran out: a smaller batch, then the CPU until `renew`; else it raises."""
        if batch > 1:
            notes.append(f"Memory ran out; the batch was reduced to {batch // 2} slices.")
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            return batch // 2
        if self.device.type != "cpu":
            notes.append("The GPU's memory was too small; the analysis went on on the CPU.")
            self._move(torch.device("cpu"))
            return batch
        raise AnalysisError(
            "There is not enough memory for the analysis; close other programs and try again."
        )

    def with_memory(self, ask: Callable[[], Answer], notes: list[str]) -> Answer:
        """Do something for one picture; when memory runs out, once more on the CPU.

        Parameters
        ----------
        ask
            Asks this for device and networks each time: the second time they are others.
        notes
            Gets a sentence when memory ran out.

        Raises
        ------
        AnalysisError
            When memory does not suffice on the CPU.
        """
        while True:
            try:
                return ask()
            except (torch.OutOfMemoryError, MemoryError):
                self._fall_back(1, notes)

    def run(
        self,
        record: ModelRecord,
        pictures: NDArray[np.uint8],
        stage: str,
        progress: Progress,
        batch: int,
        notes: list[str],
    ) -> Iterator[tuple[slice, Logits]]:
        """Run a network over prepared pictures, batch by batch.

        Parameters
        ----------
        record
            Which network.
        pictures
            Shape (n, size, size), uint8.
        stage
            What the reader sees while it runs.
        progress
            Told before every batch; cancelling takes effect there.
        batch
            Pictures a batch at the most.
        notes
            Gets a sentence when memory ran out.

        Yields
        ------
        tuple
            Which pictures, and the network's outputs (logits) by name, float32.

        Raises
        ------
        AnalysisError
            When memory does not suffice even for one picture on the CPU, or the network gives what
            is no number.
        """

        def once(runner: Runner, part: slice) -> Logits:
            return runner.run(pictures[part])

        return self._batches(record, len(pictures), once, stage, progress, batch, notes)

    def run_there(
        self,
        record: ModelRecord,
        pictures: torch.Tensor,
        stage: str,
        progress: Progress,
        batch: int,
        notes: list[str],
    ) -> Iterator[tuple[slice, Tensors]]:
        """Run a network over pictures that lie on the device, and leave what it says there.

        Where the network has to run elsewhere, since memory ran out or a backend failed, pictures
        are brought there, and the outputs lie there.

        Parameters
        ----------
        record, stage, progress, batch, notes
            As `run`.
        pictures
            Shape (n, size, size), uint8.

        Yields
        ------
        tuple
            Which pictures, and the network's outputs (logits) by name, float32; they have been
            computed, and any thread may use them.

        Raises
        ------
        AnalysisError
            As `run`.
        """

        def once(runner: Runner, part: slice) -> Tensors:
            if not isinstance(runner, TensorRunner):
                said = runner.run(pictures[part].cpu().numpy())
                return {name: torch.from_numpy(values) for name, values in said.items()}
            outputs = runner.run_there(pictures[part].to(self.device))
            # Time that is counted is that of this network, not of launching it.
            self.wait()
            return outputs

        return self._batches(record, len(pictures), once, stage, progress, batch, notes)

    def wait(self) -> None:
        """Wait for what this thread has asked of the device; what others have is let run."""
        if self.device.type == "cuda":
            torch.cuda.current_stream(self.device).synchronize()

    def _batches(
        self,
        record: ModelRecord,
        total: int,
        once: Callable[[Runner, slice], Output],
        stage: str,
        progress: Progress,
        batch: int,
        notes: list[str],
    ) -> Iterator[tuple[slice, Output]]:
        """Batch by batch, smaller ones when memory runs out, by another runner when one fails."""
        done = 0
        while done < total:
            progress.report(stage, done, total)
            part = slice(done, min(total, done + batch))
            try:
                output = once(self._runner(record), part)
            except (torch.OutOfMemoryError, MemoryError):
                batch = self._fall_back(batch, notes)
                continue
            except BackendError as error:
                self._remark(record, error)
                with self._lock:
                    self._runners[record.sha256] = self._eager_runner(record)
                continue
            require_numbers(record.name, output)
            yield part, output
            done = part.stop
        progress.report(stage, total, total)
