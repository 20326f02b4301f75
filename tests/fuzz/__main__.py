"""Gives the readers files that are wrong, thousands of them, and says what went wrong.

``python -m tests.fuzz [--minutes M] [--seed S] [--kind KIND ...] [--only KIND:N]`` makes sound
files of every kind that is read, changes them where their formats have numbers, lengths, names and
tables, and opens them as the program does, in a process of its own with little memory: a scan,
thumbnails, volumes, and the list of elements. Each is to be read, or refused in a sentence. It
fails where that process dies, hangs, takes too much memory, raises what nobody foresaw, gives a
volume that cannot be, or where a library prints something; and keeps the file, made as small as it
can be, in ``--keep``.

File N of a kind and a seed is always the same. ``--read FOLDER`` reads one that was kept.
"""

from __future__ import annotations

import argparse
import itertools
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock, Thread
from typing import Final

from tests.fuzz.cases import KINDS, Name, keep
from tests.fuzz.shrink import shrunk
from tests.fuzz.supervisor import BAD, Outcome, Reader

__all__ = ["main"]

_ROOT: Final = Path(__file__).parents[2]
_MOST_KEPT: Final = 1
"""Of each fault: the others are counted."""
_COLUMNS: Final = ("files", "read", "refused", *BAD)


class _Run:
    """What was read and found, by all threads."""

    def __init__(self, wish: argparse.Namespace) -> None:
        self._wish = wish
        self._lock = Lock()
        self._names = _names(wish)
        self._seen: Counter[str] = Counter()
        self.until = time.monotonic() + 60 * wish.minutes
        self.broken: list[BaseException] = []
        self.counts = {kind: Counter[str]() for kind in wish.kind}

    def work(self) -> None:
        """Read one input after the other, until the time is over or there are no more."""
        reader = Reader(self._wish.hang)
        try:
            while (name := self._next()) is not None:
                outcome = reader.read_named(name)
                if self._is_new(name, outcome):
                    self._report(name, outcome, reader)
        except Exception as error:  # noqa: BLE001 - raised again where somebody sees it
            self.broken.append(error)
        finally:
            reader.close()

    def _next(self) -> Name | None:
        with self._lock:
            return next(self._names, None) if time.monotonic() < self.until else None

    def _is_new(self, name: Name, outcome: Outcome) -> bool:
        with self._lock:
            self.counts[name.kind].update(("files", outcome.kind))
            if outcome.kind not in BAD:
                return False
            self._seen[outcome.signature] += 1
            return self._seen[outcome.signature] <= _MOST_KEPT

    def _report(self, name: Name, outcome: Outcome, reader: Reader) -> None:
        place = self._wish.keep / str(name).replace(":", "-")
        with tempfile.TemporaryDirectory(prefix="fuzz-shrink-") as folder:
            case = shrunk(name, outcome, reader, Path(folder), self._wish.shrink)
        keep(case, place)
        (place / "found.txt").write_text(f"{outcome.kind}\n{outcome.text}", encoding="utf-8")
        size = sum(map(len, case.files.values()))
        print(f"\n{outcome.kind.upper()}: {outcome.text.strip()}", *outcome.done, sep="\n   ")
        print(f"Kept, of {size} bytes: python -m tests.fuzz --read {place}")
        again = f"--seed {name.seed} --only {name.kind}:{name.number}"
        print(f"As made: python -m tests.fuzz {again}\n", flush=True)

    def table(self) -> str:
        """The counts, a line a kind."""
        rows = [("", *_COLUMNS)]
        for kind, counted in self.counts.items():
            if counted:
                rows.append((kind, *(str(counted[column]) for column in _COLUMNS)))
        total = sum(self.counts.values(), Counter[str]())
        rows.append(("all", *(str(total[column]) for column in _COLUMNS)))
        return "\n".join("".join(f"{cell:>11}" for cell in row) for row in rows)

    def faults(self) -> int:
        """How many inputs did harm."""
        return sum(counted[kind] for counted in self.counts.values() for kind in BAD)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 1 when something went wrong."""
    wish = _read(arguments)
    # The processes that read end with this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if wish.read is not None:
        return _read_kept(wish)
    run, start = _Run(wish), time.monotonic()
    threads = [Thread(target=run.work, daemon=True) for _ in range(wish.workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in run.broken:
        raise error
    spent = time.monotonic() - start
    files = sum(counted["files"] for counted in run.counts.values())
    print(run.table())
    found = run.faults()
    rate = f"{files} files in {spent:.0f} s, {files / max(spent, 1e-9):.0f} a second"
    print(f"seed {wish.seed}: {rate}; {found or 'nothing'} went wrong", flush=True)
    return min(1, found)


def _read(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--files", type=int, default=10**9, help="most files")
    parser.add_argument("--first", type=int, default=0, help="number of the first of each kind")
    parser.add_argument("--only", help="KIND:N, one file of the seed")
    parser.add_argument("--read", type=Path, help="a folder in which an input was kept")
    parser.add_argument("--keep", type=Path, default=_ROOT / "out" / "fuzz", help="where to keep")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--hang", type=float, default=10.0, help="most seconds of computing a file")
    parser.add_argument("--shrink", type=float, default=20.0, help="most seconds to make one small")
    wish = parser.parse_args(arguments)
    if wish.only is not None:
        kind, _, number = wish.only.partition(":")
        if kind not in KINDS or not number.isdigit():
            parser.error(f"--only knows no {wish.only}; it is KIND:N")
        wish.kind = [kind]
    return wish


def _names(wish: argparse.Namespace) -> Iterator[Name]:
    """Give the inputs: the kinds in turn, each as often as it weighs, its numbers in order."""
    if wish.only is not None:
        return iter((Name(wish.seed, wish.kind[0], int(wish.only.partition(":")[2])),))
    turns = [kind for kind in wish.kind for _ in range(KINDS[kind])]
    numbers = {kind: itertools.count(wish.first) for kind in wish.kind}
    every = (Name(wish.seed, kind, next(numbers[kind])) for kind in itertools.cycle(turns))
    return itertools.islice(every, wish.files)


def _read_kept(wish: argparse.Namespace) -> int:
    reader = Reader(wish.hang)
    try:
        outcome = reader.read_kept(wish.read)
    finally:
        reader.close()
    print(f"{outcome.kind.upper()}: {outcome.text.strip()}")
    return int(outcome.kind in BAD)


if __name__ == "__main__":
    sys.exit(main())
