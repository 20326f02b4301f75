"""Devices, batches, memory and the clock."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest
import torch
from torch import nn

from inference import device as devices
from inference.backends.eager import EagerRunner
from inference.clock import Clock
from inference.engine import Engine
from inference.errors import AnalysisError, BadInputError
from inference.models import ModelRecord, ModelStore
from inference.progress import Progress
from inference.studies.model import Volume
from inference.systems.base import Context
from inference.systems.elbana import ElBana

PICTURES = np.arange(6, dtype=np.uint8)[:, None, None].repeat(64, 1).repeat(64, 2)


class Hungry(nn.Module):
    """Runs out of memory above a batch size."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.batches: list[int] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.batches.append(len(x))
        if len(x) > self.most:
            raise torch.OutOfMemoryError("out of memory")
        return x.mean(dim=(1, 2, 3)).unsqueeze(1)


@pytest.fixture
def engine(store: ModelStore) -> Engine:
    return Engine(store, "cpu", precision="float32")


def _run(engine: Engine, network: nn.Module, notes: list[str], batch: int = 4) -> np.ndarray:
    record = engine.store.find("manifestations")
    engine._networks[record.sha256] = network
    parts = engine.run(record, PICTURES, "Testing", Progress(), batch, notes)
    return np.concatenate([output[""] for _, output in parts])


def test_smaller_batches_when_memory_runs_out(engine: Engine) -> None:
    notes: list[str] = []
    network = Hungry(most=2)
    values = _run(engine, network, notes)
    assert network.batches == [4, 2, 2, 2]
    expected = (np.arange(6) / 255.0 - 0.5) / 0.25
    assert np.allclose(values[:, 0], expected, atol=1e-6), "no picture was lost or doubled"
    assert notes == ["Memory ran out; the batch was reduced to 2 slices."]


def _run_there(engine: Engine, notes: list[str], batch: int = 4) -> np.ndarray:
    record = engine.store.find("manifestations")
    pictures = torch.from_numpy(PICTURES)
    parts = engine.run_there(record, pictures, "Testing", Progress(), batch, notes)
    return torch.cat([output[""] for _, output in parts]).numpy()


EXPECTED = (np.arange(6) / 255.0 - 0.5) / 0.25


def test_pictures_on_the_device_are_halved_and_counted_alike(store: ModelStore) -> None:
    engine = Engine(store, "cpu", precision="float32", on_device=True)
    network = Hungry(most=2)
    engine._networks[store.find("manifestations").sha256] = network
    notes: list[str] = []
    values = _run_there(engine, notes)
    assert network.batches[:2] == [4, 2]
    assert set(network.batches[1:]) == {2}
    assert np.allclose(values[:, 0], EXPECTED, atol=1e-6), "no picture was lost or doubled"
    assert notes == ["Memory ran out; the batch was reduced to 2 slices."]


def test_a_runner_that_takes_no_tensors_is_fed_from_the_host(store: ModelStore) -> None:
    class OnTheHost:
        kind = "made up"

        def run(self, pictures: np.ndarray) -> dict[str, np.ndarray]:
            assert isinstance(pictures, np.ndarray)
            return {"": pictures.mean(axis=(1, 2), dtype=np.float32)[:, np.newaxis]}

    engine = Engine(store, "cpu", precision="float32", on_device=True)
    engine._runners[store.find("manifestations").sha256] = OnTheHost()
    assert _run_there(engine, [])[:, 0].tolist() == list(range(6))


def test_a_failing_recording_is_replaced_and_said(store: ModelStore) -> None:
    engine = Engine(store, "cpu", precision="float32", on_device=True)
    record = store.find("manifestations")
    failing = Hungry(most=8)
    engine._networks[record.sha256] = failing
    engine._runner(record)
    # Only the copy of the runner is broken: a recording is refused, PyTorch's steps are not.
    engine._runners[record.sha256]._network = Refusing()
    values = _run_there(engine, [])
    assert np.allclose(values[:, 0], EXPECTED, atol=1e-6)
    assert "could not record" in engine.remarks([record])[0]


class Refusing(nn.Module):
    """Cannot be recorded."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("capture")


def test_pictures_stay_on_cuda_unless_figures_have_to_repeat(store: ModelStore) -> None:
    kept = {}
    for precision, backend in (("auto", "auto"), ("float32", "auto"), ("auto", "eager")):
        engine = Engine(store, "cpu", precision, backend)
        assert not engine.keeps_on_device
        engine.device = torch.device("cuda")
        kept[precision, backend] = engine.keeps_on_device
    assert [key for key, keeps in kept.items() if keeps] == [("auto", "auto")]
    assert Engine(store, "cpu", on_device=True).keeps_on_device


class TooSmall:
    """The runner of a GPU without memory, or with it; then it says zero of everything."""

    kind = "a GPU"
    full = True

    def __init__(self, network: nn.Module, device: torch.device, dtype: torch.dtype | None) -> None:
        self._there = device.type == "meta"
        self._runner = EagerRunner(network, device, dtype)

    def run(self, pictures: np.ndarray) -> dict[str, np.ndarray]:
        if not self._there:
            return self._runner.run(pictures)
        if self.full:
            raise torch.OutOfMemoryError("out of memory")
        classes = {"": 3, "covid-2": 2, "cxr-4": 4}
        return {name: np.zeros((len(pictures), n), np.float32) for name, n in classes.items()}


@pytest.fixture
def on_a_gpu(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine on a device that stands for a GPU, whose memory is full."""
    monkeypatch.setattr(TooSmall, "full", True)
    monkeypatch.setattr("inference.engine.EagerRunner", TooSmall)
    monkeypatch.setattr(devices, "choose", lambda _wanted: torch.device("meta"))
    return Engine(store, precision="float32")


def _said(engine: Engine, notes: list[str]) -> np.ndarray:
    record = engine.store.find("manifestations")
    parts = engine.run(record, PICTURES, "Testing", Progress(), 2, notes)
    return np.concatenate([output[""] for _, output in parts])


def test_then_the_cpu_when_the_gpu_is_too_small(on_a_gpu: Engine, store: ModelStore) -> None:
    """Nothing that was made for the GPU is used there."""
    record = store.find("manifestations")
    notes: list[str] = []
    on_a_gpu.get_ready(record)
    assert next(on_a_gpu.network(record).parameters()).device.type == "meta"
    values = _said(on_a_gpu, notes)
    assert on_a_gpu.device.type == "cpu"
    assert next(on_a_gpu.network(record).parameters()).device.type == "cpu"
    assert [note for note in notes if "on the CPU" in note] == notes[-1:]
    expected = EagerRunner(store.load(record), torch.device("cpu"), None).run(PICTURES)[""]
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)


def test_the_next_analysis_begins_on_the_gpu_again(on_a_gpu: Engine) -> None:
    _said(on_a_gpu, [])
    assert on_a_gpu.device.type == "cpu"
    TooSmall.full = False
    notes: list[str] = []
    assert _said(on_a_gpu, notes).all(), "the rest of this one stays where it is"
    on_a_gpu.renew()
    assert not _said(on_a_gpu, notes).any()
    assert notes == []


@pytest.mark.usefixtures("on_a_gpu")
def test_a_system_goes_back_to_the_gpu_by_itself(store: ModelStore, xray: Volume) -> None:
    system = ElBana(store, precision="float32")
    first = system.analyse(xray, Context(batch_size=2))
    assert any("on the CPU" in note for note in first.notes)
    TooSmall.full = False
    second = system.analyse(xray, Context(batch_size=2))
    assert not any("on the CPU" in note for note in second.notes)
    covid = [findings.estimate("covid-2") for findings in (first, second)]
    assert covid[0].study[0] != 0.5
    assert covid[1].study[0] == 0.5, "what this GPU says of everything"


def test_what_was_made_is_changed_by_one_thread_at_a_time(
    on_a_gpu: Engine, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another loads a network, nobody lets go of them or puts one in."""
    record, loading, go_on = store.find("manifestations"), Event(), Event()
    load = store.load

    def slowly(wanted: ModelRecord) -> nn.Module:
        loading.set()
        assert go_on.wait(60)
        return load(wanted)

    monkeypatch.setattr(store, "load", slowly)
    with ThreadPoolExecutor(2) as pool:
        loaded = pool.submit(on_a_gpu.get_ready, record)
        assert loading.wait(60)
        moved = pool.submit(on_a_gpu._fall_back, 1, [])
        with pytest.raises(TimeoutError):
            moved.result(timeout=0.2)
        go_on.set()
        loaded.result(60)
        moved.result(60)
    assert on_a_gpu.device.type == "cpu"
    assert not on_a_gpu._runners
    assert not on_a_gpu._networks


def test_no_memory_at_all_is_said(engine: Engine) -> None:
    with pytest.raises(AnalysisError, match="not enough memory"):
        _run(engine, Hungry(most=0), [])


def test_stage_and_count_are_reported(engine: Engine) -> None:
    seen: list[tuple[str, int, int]] = []
    record = engine.store.find("manifestations")
    progress = Progress(lambda *a: seen.append(a))
    list(engine.run(record, PICTURES, "Labelling", progress, 4, []))
    assert seen == [("Labelling", 0, 6), ("Labelling", 4, 6), ("Labelling", 6, 6)]


def test_a_network_is_loaded_once(engine: Engine) -> None:
    record = engine.store.find("manifestations")
    assert engine.network(record) is engine.network(record)
    assert not engine.network(record).training


def test_unknown_and_absent_devices_are_refused() -> None:
    with pytest.raises(BadInputError, match="no device 'tpu'"):
        devices.choose("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(BadInputError, match="not available on this machine"):
            devices.choose("cuda")
    assert devices.choose("cpu").type == "cpu"


def test_automatic_choice_prefers_cuda_then_mps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert devices.choose("auto").type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert devices.choose("auto").type == "mps"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert devices.choose("auto").type == "cpu"


def test_clock_refuses_unknown_parts_and_counts_reading() -> None:
    clock = Clock(read_seconds=2.0)
    with pytest.raises(ValueError, match="no part 'lunch'"), clock.part("lunch"):
        pass
    with clock.part("pre"):
        pass
    timings = clock.timings()
    assert timings.read == 2.0
    assert timings.total >= 2.0


def test_freed_memory_is_kept_by_glibc_and_nothing_breaks_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, int]] = []

    class Library:
        def mallopt(self, option: int, value: int) -> int:
            asked.append((option, value))
            return 1

    ask = devices.keep_freed_memory.__wrapped__
    monkeypatch.setattr("ctypes.CDLL", lambda name: Library())
    assert ask()
    assert {option for option, _ in asked} == {-1, -3}
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    assert not ask()
