"""A skipped test that nobody has allowed fails the run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants import ROOT
from tests.skips import ALLOWED, is_allowed


def _run(file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.skips",
               "-c", os.devnull, "--rootdir", str(file.parent), str(file)]  # fmt: skip
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("def test_it():\n    pytest.skip('no time')\n", 1, "test_it: no time"),
        ("@pytest.mark.skip(reason='later')\ndef test_it(): ...\n", 1, "test_it: later"),
        ("pytest.importorskip('no_such_module')\n", 1, "no_such_module"),
        ("@pytest.mark.parametrize('x', [])\ndef test_it(x): ...\n", 1, "empty parameter set"),
        ("@pytest.mark.xfail\ndef test_it(): assert False\n", 0, ""),
        ("def test_it(): ...\n", 0, ""),
    ],
)
def test_a_skip_without_leave_fails_the_run(
    tmp_path: Path, text: str, status: int, said: str
) -> None:
    file = tmp_path / "test_made_up.py"
    file.write_text(f"import pytest\n\n\n{text}")
    end = _run(file)
    assert end.returncode == status, end.stdout
    assert ("skipped without leave" in end.stdout) == bool(status)
    assert said in end.stdout


def test_what_is_allowed_is_so_in_its_place_and_for_its_reason_alone() -> None:
    assert is_allowed("tests/unit/backends/test_lane.py::test_x[cuda]", "needs CUDA")
    assert not is_allowed("tests/unit/backends/test_lane.py::test_x", "no time")
    assert not is_allowed("tests/gui/test_window.py::test_x", "needs CUDA")


@pytest.mark.parametrize("allowed", ALLOWED, ids=lambda one: f"{one.tests} {one.reason}")
def test_the_list_names_tests_and_reasons_that_there_are(allowed: object) -> None:
    """So that it cannot age."""
    pattern, reason = allowed.tests.partition("::")[0], allowed.reason
    files = [p for p in ROOT.glob(pattern) if p.suffix == ".py"]
    assert files
    assert any(f'"{reason}"' in p.read_text(encoding="utf-8") for p in files)
