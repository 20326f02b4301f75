"""Runs the program in one process after the other, and says what went wrong in which."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.monkey.child import HEARD, STACKS, STEPS, TROUBLE
from tests.monkey.watch import Trouble

__all__ = ["Run", "a_screen", "run_one"]

_ROOT: Final = Path(__file__).parents[2]
_SCREEN: Final = "3840x2400x24"
"""At 200 % a window has room enough, too."""
_LOOK_SECONDS: Final = 0.25
_STILL_SECONDS: Final = 400.0
"""A step takes no longer, what it waits for included."""
_MOST_GB: Final = 8.0
_LAST_STEPS: Final = 30
_MOST_TEXT: Final = 4000


@dataclass(frozen=True, slots=True)
class Run:
    """One life of the program.

    Parameters
    ----------
    name
        Seed, kind, scale and number of the life, as ``--only`` takes them.
    scale
        QT_SCALE_FACTOR.
    files, others
        See `tests.monkey.stepper.Plan`.
    seconds, steps, hang
        Likewise.
    """

    name: str
    scale: float
    files: tuple[Path, ...]
    others: tuple[Path, ...]
    seconds: float
    steps: int
    hang: float


@contextmanager
def a_screen() -> Iterator[dict[str, str]]:
    """Give the environment of a screen: the one that is there, or one in memory (Linux)."""
    there = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if there or not sys.platform.startswith("linux"):
        yield {}
        return
    if shutil.which("Xvfb") is None:
        raise SystemExit("There is no screen, and no Xvfb to make one: make setup installs it.")
    ours, theirs = os.pipe()
    with subprocess.Popen(
        ["Xvfb", "-displayfd", str(theirs), "-screen", "0", _SCREEN, "-nolisten", "tcp"],
        pass_fds=(theirs,), stderr=subprocess.DEVNULL,
    ) as screen:  # fmt: skip
        os.close(theirs)
        try:
            with os.fdopen(ours, encoding="ascii") as told:
                number = told.readline().strip()
            yield {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
        finally:
            screen.terminate()


def run_one(run: Run, folder: Path, screen: dict[str, str]) -> Trouble | None:
    """Run the program once, in folders of its own, and return what went wrong.

    Parameters
    ----------
    run
        What is done.
    folder
        Empty; gets settings, caches, exports and the list of steps.
    screen
        See `a_screen`.
    """
    home, exports = folder / "home", folder / "exports"
    for each in (home, exports, folder / "tmp"):
        each.mkdir(parents=True)
    plan = folder / "plan.json"
    wanted = {
        "name": run.name, "files": [str(p) for p in run.files],
        "others": [str(p) for p in run.others], "exports": str(exports),
        "seconds": run.seconds, "steps": run.steps, "hang": run.hang,
    }  # fmt: skip
    plan.write_text(json.dumps(wanted), encoding="utf-8")
    with (folder / "said.txt").open("w", encoding="utf-8") as said:
        process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", "tests.monkey.child", str(plan)],
            cwd=_ROOT, env=_environment(run, folder, screen), stdout=said, stderr=said,
        )  # fmt: skip
        try:
            trouble = _watched(process, folder / STEPS)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
    written = folder / TROUBLE
    if written.exists():
        return Trouble(**json.loads(written.read_text(encoding="utf-8")))
    if trouble is not None:
        return trouble
    text = _text(folder / "said.txt")[-_MOST_TEXT:]
    if process.returncode != 0:
        more = "\n".join((text, _text(folder / HEARD)[-_MOST_TEXT:], _text(folder / STACKS)))
        return Trouble("crash", f"exit status {process.returncode}\n{more}")
    return Trouble("said", text) if text.strip() else None


def last_steps(folder: Path) -> list[str]:
    """Return the last steps of a life."""
    return _text(folder / STEPS).splitlines()[-_LAST_STEPS:]


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""


def _environment(run: Run, folder: Path, screen: dict[str, str]) -> dict[str, str]:
    """Nothing of the user's is read or written, and no other program is spoken to."""
    home = folder / "home"
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("XDG_", "QT_", "SECONDREAD", "DBUS_")) or name == "QT_QPA_PLATFORM"
    }
    for kind in ("STATE", "CACHE", "CONFIG", "DATA"):
        kept[f"XDG_{kind}_HOME"] = str(home / kind.lower())
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    return kept | screen | {
        "HOME": str(home),
        "TMPDIR": str(folder / "tmp"),
        "XDG_RUNTIME_DIR": str(runtime),
        "QT_SCALE_FACTOR": f"{run.scale:g}",
        "QT_QPA_PLATFORMTHEME": "",
        "PYTHONPATH": str(_ROOT),
        "PYTHONFAULTHANDLER": "1",
    }  # fmt: skip


def _watched(process: subprocess.Popen[bytes], steps: Path) -> Trouble | None:
    """Wait for the end, or for no step to be done any more."""
    since, before = time.monotonic(), -1
    while process.poll() is None:
        time.sleep(_LOOK_SECONDS)
        size = steps.stat().st_size if steps.exists() else 0
        if size != before:
            since, before = time.monotonic(), size
        elif time.monotonic() - since > _STILL_SECONDS:
            if hasattr(signal, "SIGUSR1"):
                process.send_signal(signal.SIGUSR1)
                time.sleep(1)
            stacks = _text(steps.parent / STACKS)
            return Trouble("hang", f"no step for {_STILL_SECONDS:.0f} s\n{stacks}")
        if _gigabytes(process.pid) > _MOST_GB:
            return Trouble("memory", f"more than {_MOST_GB:.0f} GB")
    return None


def _gigabytes(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**30
