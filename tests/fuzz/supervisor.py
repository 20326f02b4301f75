"""Gives inputs to a process that reads them, and says what became of it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.fuzz.cases import Name

__all__ = ["BAD", "Outcome", "Reader"]

BAD: Final = ("death", "hang", "memory", "unforeseen", "wrong", "noise")
"""Outcomes that are faults, the worst first."""

_ROOT: Final = Path(__file__).parents[2]
_WORKER: Final = ("-m", "tests.fuzz.worker")
_LOOK_SECONDS: Final = 0.2
_WALL_SECONDS: Final = 120.0
"""Without an end, however little it computes: it waits for something."""
_START_SECONDS: Final = 300.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an input.

    Parameters
    ----------
    kind
        ``"read"``, ``"refused"``, or one of `BAD`.
    signature
        The same for faults of one place.
    text
        What is known about it.
    done
        What was done to the input.
    """

    kind: str
    signature: str = ""
    text: str = ""
    done: tuple[str, ...] = ()


class Reader:
    """One process that reads, begun anew whenever it has ended.

    Parameters
    ----------
    seconds
        Most time of its own that it may compute for an input.
    command
        Starts it, with the file for its stacks as its last argument.
    """

    def __init__(self, seconds: float, command: Sequence[str] = _WORKER) -> None:
        self._seconds = seconds
        self._command = (sys.executable, *command)
        self._home = tempfile.TemporaryDirectory(prefix="fuzz-home-")
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: deque[dict[str, Any]] = deque()
        self._part = b""

    def read_named(self, name: Name, kept: Collection[int] | None = None) -> Outcome:
        """Let an input be made and read; see `tests.fuzz.cases.make`."""
        numbers = None if kept is None else sorted(kept)
        return self._read(
            {"seed": name.seed, "kind": name.kind, "number": name.number, "kept": numbers}
        )

    def read_kept(self, folder: Path) -> Outcome:
        """Let a kept input be read."""
        return self._read({"folder": str(folder)})

    def close(self) -> None:
        """End the process."""
        self._end()
        self._home.cleanup()

    def _read(self, wish: dict[str, Any]) -> Outcome:
        process = self._begun()
        if process.stdin is None:
            raise AssertionError
        process.stdin.write(json.dumps(wish).encode() + b"\n")
        process.stdin.flush()
        begun = self._line(_START_SECONDS, None)
        if begun is None or "begun" not in begun:
            raise RuntimeError(f"The input {wish} cannot be made: {self._last_words()}")
        done = tuple(begun["done"])
        start = _cpu_seconds(process.pid)
        said = self._line(_WALL_SECONDS, start + self._seconds)
        if said is not None:
            kind = said["outcome"]
            signature, text = said.get("signature", ""), said.get("text", "")
            if said["noise"] and kind not in BAD:
                kind, signature = "noise", f"noise {_letters(said['noise'])}"
                text = said["noise"]
            if kind == "memory":
                self._end()
            return Outcome(kind, signature, text, done)
        if process.poll() is None:
            text = self._stacks(process)
            self._end()
            return Outcome("hang", f"hang {_innermost(text)}", text, done)
        code = process.returncode
        name = signal.Signals(-code).name if code < 0 else f"exit {code}"
        text = self._stacks(None)
        self._end()
        return Outcome("death", f"{name} {_innermost(text)}", f"{name}\n{text}", done)

    def _begun(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        home = Path(self._home.name)
        environment = {
            **os.environ,
            "PYTHONPATH": str(_ROOT),
            "HOME": str(home),
            "TMPDIR": str(home),
        }
        for name in ("STATE", "CACHE", "CONFIG", "DATA"):
            environment[f"XDG_{name}_HOME"] = str(home / name.lower())
        # Arrays are small, and threads would take address space.
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            environment[name] = "1"
        self._process = subprocess.Popen(
            [*self._command, str(home / "stacks")],
            cwd=_ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._lines.clear()
        self._part = b""
        if self._line(_START_SECONDS, None) is None:
            raise RuntimeError(f"The process that reads does not begin. {self._last_words()}")
        return self._process

    def _line(self, wall: float, cpu: float | None) -> dict[str, Any] | None:
        """Wait for a line; None where the process ends, or takes too long."""
        process = self._process
        if process is None or process.stdout is None:
            raise AssertionError
        until = time.monotonic() + wall
        while not self._lines:
            ready, _, _ = select.select([process.stdout], [], [], _LOOK_SECONDS)
            if ready:
                data = os.read(process.stdout.fileno(), 1 << 16)
                if not data:
                    process.wait()
                    return None
                *whole, self._part = (self._part + data).split(b"\n")
                self._lines += map(json.loads, whole)
            elif time.monotonic() > until or (cpu is not None and _cpu_seconds(process.pid) > cpu):
                return None
        return self._lines.popleft()

    def _stacks(self, process: subprocess.Popen[bytes] | None) -> str:
        """What each thread was doing: when it died, or is doing now."""
        if process is not None:
            process.send_signal(signal.SIGUSR1)
            time.sleep(0.5)
        return self._last_words()

    def _last_words(self) -> str:
        file = Path(self._home.name, "stacks")
        return file.read_text(encoding="utf-8", errors="replace")[-3000:] if file.exists() else ""

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue


def _cpu_seconds(pid: int) -> float:
    """What a process and those of it have computed."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except (OSError, IndexError):
        return 0.0
    return sum(map(int, fields[11:15])) / _TICKS


def _innermost(stacks: str) -> str:
    """The first frame of ours in what `faulthandler` writes."""
    for line in stacks.splitlines():
        if "/inference/" in line:
            return line.strip().rpartition("/")[2].replace('", line ', ":")
    return ""


def _letters(text: str) -> str:
    return "".join(c for c in text[:60] if c.isalpha() or c == " ")
