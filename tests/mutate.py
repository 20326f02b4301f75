"""Put faults into the code and see whether tests notice.

``python -m tests.mutate --known [ID ...]`` puts in the faults of ``mutants.toml``, each of which
once went unseen, and runs the tests named there. ``python -m tests.mutate --changed [--since REV]``
makes faults of mutmut's kinds on the lines that have changed, and runs the tests that import the
changed module. All of it happens in a copy of the working tree; the tree itself is never changed.

Exit status 0: every fault was noticed. 1: some were not; they are printed. 2: it could not be said.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.mutants import ROOT, Mutant, read_mutants

__all__ = ["Fault", "changed_lines", "faults_of", "main", "relevant_tests"]

PACKAGES: Final = ("inference", "viewer")
LONGEST_S: Final = 900
"""A fault that makes the tests hang is noticed, too."""
NOTICED, UNNOTICED, UNCLEAR = "noticed", "NOT NOTICED", "UNCLEAR"
_HUNK: Final = re.compile(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True, slots=True)
class Fault:
    """A file with a fault in it, and the tests to be run on it."""

    name: str
    file: str
    text: str
    tests: tuple[str, ...]


# -- which faults ------------------------------------------------------------------------------


def known_faults(wanted: Sequence[str]) -> list[Fault]:
    """The table's faults, all of them or those whose ids are given."""
    mutants = read_mutants()
    if strange := set(wanted) - {m.id for m in mutants}:
        raise SystemExit(f"There is no known fault {', '.join(sorted(strange))}.")
    return [_fault(m) for m in mutants if not wanted or m.id in wanted]


def _fault(mutant: Mutant) -> Fault:
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    return Fault(f"{mutant.id}: {mutant.fault}", mutant.file, mutant.apply(text), mutant.tests)


def changed_lines(since: str) -> dict[str, set[int]]:
    """Lines of each module that are not as they were in a commit, those not committed included."""
    base = _git("merge-base", since, "HEAD").strip()
    lines: dict[str, set[int]] = {}
    current: set[int] = set()
    for line in _git("diff", "-U0", "--no-color", base, "--", *PACKAGES).splitlines():
        if line.startswith("+++ "):
            current = lines.setdefault(line.removeprefix("+++ b/"), set())
        elif hunk := _HUNK.match(line):
            first, count = int(hunk[1]), int(hunk[2] or 1)
            current.update(range(first, first + count))
    for name in _git("ls-files", "--others", "--exclude-standard", "--", *PACKAGES).splitlines():
        lines[name] = set(range(1, len((ROOT / name).read_text("utf-8").splitlines()) + 1))
    return {name: part for name, part in lines.items() if name.endswith(".py") and part}


def faults_of(text: str, lines: set[int]) -> Iterator[tuple[int, str, str]]:
    """Make mutmut's faults on some lines of a module: line, words, and the text with it."""
    try:
        from mutmut.mutation.file_mutation import create_mutations, deep_replace
    except ImportError as error:
        raise SystemExit("mutmut is missing; make setup installs it.") from error
    module, mutations, *_ = create_mutations("", text, covered_lines=lines)
    before = text.splitlines()
    for mutation in mutations:
        code = deep_replace(module, mutation.original_node, mutation.mutated_node).code
        after = code.splitlines()
        at = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), None)
        if at is not None:
            yield at + 1, f"{before[at].strip()}  ->  {after[at].strip()}", code


def relevant_tests(file: str) -> tuple[str, ...]:
    """The test files that import a module, and those that know a fault of it."""
    dotted = file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    known = {t.partition("::")[0] for m in read_mutants() if m.file == file for t in m.tests}
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return tuple(sorted(known | {_name(p) for p in files if dotted in _imports(p)}))


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def changed_faults(since: str) -> list[Fault]:
    """Faults on the lines that have changed."""
    faults = []
    for file, lines in sorted(changed_lines(since).items()):
        tests = relevant_tests(file)
        if not tests:
            print(f"{file}: no test imports it")
        text = (ROOT / file).read_text(encoding="utf-8")
        for line, words, code in faults_of(text, lines):
            faults.append(Fault(f"{file}:{line}: {words}", file, code, tests))
    return faults


# -- running -----------------------------------------------------------------------------------


@contextmanager
def _copy() -> Iterator[Path]:
    """A copy of what git knows or would take, in a folder that goes away."""
    names = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    with tempfile.TemporaryDirectory(prefix="secondread-faults-") as folder:
        copy = Path(folder) / "tree"
        for name in filter(None, names):
            if (ROOT / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, copy / name)
        yield copy


def _run(copy: Path, tests: Iterable[str]) -> int:
    """Run tests in the copy and return pytest's exit status; that of a failure when they hang."""
    surroundings = {
        "OMP_NUM_THREADS": "1",
        "SECONDREAD_SHARED": str(ROOT.parent / "shared"),
        **os.environ,
        "PYTHONPATH": str(copy),
        # Two changes within one tick of the clock must not share their byte code.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(
            command, cwd=copy, env=surroundings, capture_output=True, timeout=LONGEST_S, check=False
        )
    except subprocess.TimeoutExpired:
        return 1
    return done.returncode


def judge(faults: Sequence[Fault]) -> dict[str, str]:
    """Say of each fault whether its tests noticed it."""
    verdicts: dict[str, str] = {}
    with _copy() as copy:
        sound = {tests: _run(copy, tests) == 0 for tests in {f.tests for f in faults} if tests}
        for fault in faults:
            place = copy / fault.file
            whole = place.read_text(encoding="utf-8")
            if not fault.tests:
                verdict = UNNOTICED
            elif not sound[fault.tests]:
                verdict = f"{UNCLEAR}: its tests fail without it"
            else:
                place.write_text(fault.text, encoding="utf-8")
                status = _run(copy, fault.tests)
                place.write_text(whole, encoding="utf-8")
                # 1: a test failed. 2 to 5: pytest could not begin, which is not a test's doing.
                verdict = {0: UNNOTICED, 1: NOTICED}.get(
                    status, f"{UNCLEAR}: pytest ended {status}"
                )
            verdicts[fault.name] = verdict
            print(f"{verdict:12} {fault.name}", flush=True)
    return verdicts


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutate", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--known", nargs="*", metavar="ID", help="the faults of tests/mutants.toml")
    what.add_argument("--changed", action="store_true", help="faults on changed lines")
    parser.add_argument("--since", default="main", help="what lines have changed since")
    asked = parser.parse_args(argv)
    faults = changed_faults(asked.since) if asked.changed else known_faults(asked.known)
    verdicts = list(judge(faults).values())
    noticed = verdicts.count(NOTICED)
    print(f"{noticed} of {len(verdicts)} faults were noticed.")
    if any(verdict.startswith(UNCLEAR) for verdict in verdicts):
        return 2
    return int(noticed < len(verdicts))


if __name__ == "__main__":
    sys.exit(main())
