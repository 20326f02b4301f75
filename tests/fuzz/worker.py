"""The process that reads, and that may die of it; started by `tests.fuzz.supervisor`.

``python -m tests.fuzz.worker STACKS`` takes wishes from its input, a JSON object a line, and says
on its output where it is. What anything else prints there goes to a file, and is a fault.
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import IO, Any, Final

from tests.fuzz.cases import Case, Name, make, read, write

__all__ = ["MOST_BYTES", "main"]

MOST_BYTES: Final = 3 << 30
"""Of address space; what is read here is small."""
_MOST_GROWTH: Final = 1200 << 20
"""Most memory that one input may take."""
_OLD: Final = 1_000_000_000
"""Time of the files: those changed a moment ago would be kept in no index."""
_BETWEEN: Final = 100
"""Inputs between two collections, each of which takes as long as an input."""
_LINES: Final = 6
_PR_SET_PDEATHSIG: Final = 1


def main() -> int:
    """Do what is wished, until the input ends."""
    _end_with_parent()
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    noise = tempfile.TemporaryFile()  # noqa: SIM115 - to the end
    os.dup2(noise.fileno(), 1)
    os.dup2(noise.fileno(), 2)
    with Path(sys.argv[1]).open("w", encoding="utf-8") as stacks:
        faulthandler.enable(stacks)
        faulthandler.register(signal.SIGUSR1, stacks)
        from tests.fuzz.judge import read_all  # noqa: F401 - before memory is bounded

        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        print(json.dumps({"ready": True}), file=told, flush=True)
        gc.collect()
        gc.freeze()
        for number, line in enumerate(sys.stdin):
            _do(json.loads(line), told, noise)
            if number % _BETWEEN == 0:
                gc.collect()
    return 0


def _end_with_parent() -> None:
    """Do not outlive who asks, even where an input never ends."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _do(wish: dict[str, Any], told: IO[str], noise: IO[bytes]) -> None:
    """Read one input and say what came of it."""
    if "folder" in wish:
        case, done = read(Path(wish["folder"])), ()
    else:
        name = Name(wish["seed"], wish["kind"], wish["number"])
        made = make(name, wish["kept"])
        case, done = made.case, made.done
    print(json.dumps({"begun": wish, "done": done}), file=told, flush=True)
    said = _outcome(case)
    said["noise"] = _heard(noise)
    print(json.dumps(said), file=told, flush=True)


def _outcome(case: Case) -> dict[str, Any]:
    from inference.studies import unpacked, zips
    from tests.fuzz.judge import WrongError, read_all

    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    before, cpu = _peak(), time.process_time()
    try:
        path = write(case, folder)
        for each in folder.rglob("*"):
            os.utime(each, (_OLD, _OLD))
        try:
            found = {"outcome": read_all(path, folder)}
        except MemoryError as error:
            found = {"outcome": "memory", **_where(error)}
        except WrongError as error:
            found = {"outcome": "wrong", **_where(error)}
        except Exception as error:  # noqa: BLE001 - what is looked for
            found = {"outcome": "unforeseen", **_where(error)}
    finally:
        unpacked.end()
        zips._kept.clear()
        shutil.rmtree(folder, ignore_errors=True)
    if _peak() - before > _MOST_GROWTH:
        found = {"outcome": "memory", "signature": "memory", "text": f"{_peak() >> 20} MB"}
    return {**found, "seconds": time.process_time() - cpu}


def _where(error: BaseException) -> dict[str, str]:
    """Say where an error came from; the signature is the same for errors of one place."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/inference/" in frame.filename] or list(frames)
    last = ours[-1]
    place = f"{Path(last.filename).name}:{last.name}"
    # Numbers and names in the text are of this file alone.
    words = "".join(c for c in str(error)[:40] if c.isalpha() or c == " ")
    text = "".join(traceback.format_list(list(frames)[-_LINES:]))
    return {
        "signature": f"{type(error).__name__} {place} {words}",
        "text": f"{type(error).__name__}: {str(error)[:500]}\n{text}",
    }


def _heard(noise: IO[bytes]) -> str:
    """Return what was printed since the last time."""
    sys.stdout.flush()
    sys.stderr.flush()
    ctypes.CDLL(None).fflush(None)
    length = os.fstat(noise.fileno()).st_size
    os.lseek(noise.fileno(), 0, os.SEEK_SET)
    text = os.read(noise.fileno(), min(length, 4000)).decode("utf-8", "replace")
    os.ftruncate(noise.fileno(), 0)
    os.lseek(noise.fileno(), 0, os.SEEK_SET)
    return text


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


if __name__ == "__main__":
    sys.exit(main())
