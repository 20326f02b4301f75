"""Which processor the networks run on, and in which precision."""

from __future__ import annotations

import contextlib
import ctypes
import time
from collections.abc import Iterator
from functools import lru_cache

import torch

from inference.errors import BadInputError

__all__ = ["autocast", "channels_last", "choose", "describe", "keep_freed_memory", "low_precision"]

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
"""Of glibc's malloc.h."""

_KINDS = ("auto", "cuda", "mps", "cpu")


def choose(wanted: str = "auto") -> torch.device:
    """CUDA, else MPS, else CPU; or what was asked for.

    Parameters
    ----------
    wanted
        ``"auto"``, ``"cuda"``, ``"cuda:1"``, ``"mps"`` or ``"cpu"``.

    Raises
    ------
    BadInputError
        When the device asked for is not there or has no such name.
    """
    kind = wanted.split(":", maxsplit=1)[0]
    if kind not in _KINDS:
        raise BadInputError(f"There is no device {wanted!r}; choose one of {', '.join(_KINDS)}.")
    has_cuda, has_mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if wanted == "auto":
        return torch.device("cuda" if has_cuda else "mps" if has_mps else "cpu")
    if (kind == "cuda" and not has_cuda) or (kind == "mps" and not has_mps):
        raise BadInputError(
            f"The device {wanted!r} is not available on this machine; choose another, or auto."
        )
    return torch.device(wanted)


def describe(device: torch.device) -> str:
    """Name of the device for the reader."""
    if device.type == "cuda":
        return f"CUDA ({torch.cuda.get_device_name(device)})"
    if device.type == "mps":
        return "MPS (Apple GPU)"
    threads = torch.get_num_threads()
    return f"CPU ({threads} {'thread' if threads == 1 else 'threads'})"


@lru_cache(maxsize=1)
def _bfloat16_pays_on_cpu() -> bool:
    """Whether bfloat16 convolutions beat float32 clearly: true with AMX, false without.

    Processors announce bfloat16 that is slower than float32, so it is measured, not looked up.
    """
    layer = channels_last(torch.nn.Conv2d(64, 64, 3, padding=1))
    x = torch.zeros(4, 64, 64, 64).contiguous(memory_format=torch.channels_last)

    def best(dtype: torch.dtype) -> float:
        times = []
        with torch.inference_mode(), torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            for _ in range(6):
                start = time.perf_counter()
                layer(x)
                times.append(time.perf_counter() - start)
        return min(times)

    return best(torch.bfloat16) < 0.6 * best(torch.float32)


def low_precision(device: torch.device) -> torch.dtype | None:
    """The 16-bit type that pays on a device, or None where float32 is as fast."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device.type == "cpu" and _bfloat16_pays_on_cpu():
        return torch.bfloat16
    return None


def channels_last(network: torch.nn.Module) -> torch.nn.Module:
    """Lay weights out as convolutions like them on CPUs and on tensor cores (in place)."""
    # torch's stub of Module.to lacks the keyword.
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


@lru_cache(maxsize=1)
def keep_freed_memory() -> bool:
    """Ask glibc to keep large freed blocks instead of giving them back after every batch.

    A batch on the CPU frees and takes the same hundreds of megabytes again and again; mapping
    them anew, page by page, cost a seventh of the time of a DeepLab batch.

    Returns
    -------
    bool
        Whether the allocator took it; False where it is not glibc's.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    largest = 2**31 - 1
    taken = [mallopt(option, largest) for option in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD)]
    return all(taken)


@contextlib.contextmanager
def autocast(device: torch.device, dtype: torch.dtype | None) -> Iterator[None]:
    """Run in `dtype` where it is given, else in float32."""
    if dtype is None:
        yield
        return
    with torch.autocast(device.type, dtype):
        yield
