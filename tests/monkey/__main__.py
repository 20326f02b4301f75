"""Uses the real program as a hand would that knows nothing, and says what went wrong.

``python -m tests.monkey [--minutes M] [--seed S] [--study PATH]`` opens the program's window, with
the engine that ships, and goes through it by mouse, wheel, keys, commands, tabs, menus and dialogs,
before, during and after an analysis: on a CT, X-rays, a picture, a 4D series and two CTs, at 100
and 200 %. With `--study`, on that alone. It fails on a fault, a warning of Qt, a window that hangs,
a crash, or memory that keeps growing, and says with which seed and after which steps.

Settings, caches and exports are in a temporary folder, which is kept when something went wrong.
"""

from __future__ import annotations

import argparse
import itertools
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.monkey.studies import KINDS, make
from tests.monkey.supervisor import Run, a_screen, last_steps, run_one

__all__ = ["main"]

SCALES: Final = (1.0, 2.0)
_SHORTEST_SECONDS: Final = 15.0
_LONGEST_SECONDS: Final = 240.0
"""Of one life of the program."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 1 when something went wrong."""
    wish = _read(arguments)
    # The program and the screen end with this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = Path(tempfile.mkdtemp(prefix="monkey-"))
    until = time.monotonic() + 60 * wish.minutes
    pairs = _pairs(wish)
    found = 0
    with a_screen() as screen:
        for number, run in enumerate(_runs(wish, pairs, folder)):
            left = until - time.monotonic()
            if number >= len(pairs) and left < _SHORTEST_SECONDS:
                break
            print(f"{run.name}: {run.seconds:.0f} s", flush=True)
            place = folder / f"run{number}"
            trouble = run_one(run, place, screen)
            if trouble is None:
                steps = last_steps(place)
                print("   " + "\n   ".join(s.strip() for s in steps if "close the window;" in s))
                shutil.rmtree(place, ignore_errors=True)
                continue
            found += 1
            print(f"\n{trouble.kind.upper()}: {trouble.text}\nThe last steps, all in {place}:")
            print("\n".join(last_steps(place)))
            print(f"Again: {_again(wish, run)}\n", flush=True)
            if wish.first:
                break
    if not found:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"seed {wish.seed}: {found or 'nothing'} went wrong", flush=True)
    return min(1, found)


def _read(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.monkey", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="all runs together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--study", type=Path, help="a file or folder, instead of made-up studies")
    parser.add_argument("--hang", type=float, default=2.0, help="most seconds without an answer")
    parser.add_argument(
        "--only", nargs="+", help="KIND@SCALE or KIND@SCALE/LIFE, as they are printed"
    )
    parser.add_argument("--kinds", nargs="+", choices=sorted(KINDS), default=list(KINDS))
    parser.add_argument("--scales", nargs="+", type=float, default=list(SCALES))
    parser.add_argument("--steps", type=int, default=1_000_000, help="most of one run")
    parser.add_argument("--first", action="store_true", help="stop when something went wrong")
    wish = parser.parse_args(arguments)
    if wish.study is not None and not wish.study.exists():
        parser.error(f"there is nothing at {wish.study}")
    return wish


def _pairs(wish: argparse.Namespace) -> list[str]:
    """Give kinds and scales in the order in which each has its first life, as ``KIND@SCALE``."""
    kinds = ["study"] if wish.study is not None else list(wish.kinds)
    pairs = [f"{kind}@{scale:g}" for kind, scale in itertools.product(kinds, wish.scales)]
    random.Random(wish.seed).shuffle(pairs)  # noqa: S311
    if wish.only is None:
        return pairs
    names = {each.partition("/")[0] for each in wish.only}
    if names - set(pairs):
        raise SystemExit(f"--only knows no {', '.join(sorted(names - set(pairs)))}.")
    return [pair for pair in pairs if pair in names]


def _runs(wish: argparse.Namespace, pairs: Sequence[str], folder: Path) -> Iterator[Run]:
    """Give the lives of the program, all kinds and scales again and again."""
    wanted = set(wish.only or pairs)
    seconds = 60 * wish.minutes / len(pairs)
    others = _others(folder)
    # Lives that are named are lived once; else again and again, until the time is over.
    named = [int(each.partition("/")[2]) for each in wanted if "/" in each]
    for life in itertools.count(1) if len(named) < len(wanted) else range(1, max(named) + 1):
        for pair in pairs:
            name = f"{pair}/{life}"
            if not wanted & {pair, name}:
                continue
            kind, _, scale = pair.partition("@")
            files = (wish.study.absolute(),) if kind == "study" else make(kind, folder / "studies")
            yield Run(
                f"{wish.seed}:{name}", float(scale), files, others,
                min(_LONGEST_SECONDS, max(_SHORTEST_SECONDS, seconds)), wish.steps, wish.hang,
            )  # fmt: skip


def _others(folder: Path) -> tuple[Path, ...]:
    """What may be opened by mistake, and what stands beside the study."""
    bad = folder / "bad"
    (bad / "empty").mkdir(parents=True)
    (bad / "text.dcm").write_text("This is no image.", encoding="utf-8")
    return (bad / "empty", bad / "text.dcm", *make("times", folder / "studies"))


def _again(wish: argparse.Namespace, run: Run) -> str:
    study = f" --study {wish.study}" if wish.study is not None else ""
    name = run.name.partition(":")[2]
    return (
        f"python -m tests.monkey --seed {wish.seed} --only {name}{study} --minutes {wish.minutes:g}"
    )


if __name__ == "__main__":
    sys.exit(main())
