"""Two minutes of a hand that knows nothing, in the real program; see `tests.monkey`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(1000),
    pytest.mark.skipif(
        sys.platform.startswith("linux") and shutil.which("Xvfb") is None,
        reason="needs Xvfb, which make setup installs",
    ),
]

_ROOT = Path(__file__).parents[2]
_SEED = "1"
_MINUTES = "0.4"


@pytest.mark.parametrize("only", ["ct@1", "xray@2", "picture@1", "times@1", "pair@2"])
def test_nothing_goes_wrong_under_a_hand_that_knows_nothing(only: str) -> None:
    # On a screen of its own, large enough for 200 % and nobody's (Linux).
    none = {"DISPLAY": "", "WAYLAND_DISPLAY": ""} if sys.platform.startswith("linux") else {}
    done = subprocess.run(
        [
            sys.executable, "-m", "tests.monkey",
            "--seed", _SEED, "--only", only, "--minutes", _MINUTES,
        ],
        capture_output=True, text=True, timeout=900, check=False, cwd=_ROOT,
        env={**os.environ, **none},
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "nothing went wrong" in done.stdout
