"""A test that is skipped says so in vain: nobody reads it. So those that may be are listed here.

Any other skipped test fails the run. `conftest.py` takes these hooks in.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Final

import pytest

__all__ = [
    "ALLOWED",
    "Allowed",
    "is_allowed",
    "pytest_collectreport",
    "pytest_runtest_logreport",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
]


@dataclass(frozen=True, slots=True)
class Allowed:
    """Tests that may be skipped for a reason.

    Parameters
    ----------
    tests
        Node ids as of `fnmatch`, from the repository's root.
    reason
        That the test gives, exactly.
    why
        Why it is right that they do not run everywhere.
    """

    tests: str
    reason: str
    why: str


_SHARED: Final = (
    "Files of real scanners are not part of the repository, and none of them is needed."
)
_CUDA: Final = "Most machines have no NVIDIA GPU; the same steps are tested on the CPU."
_UNIX: Final = (
    "Modes, links and names are those of Unix; on other systems there is nothing to test."
)
_PROC: Final = "What a process waits for, and its memory, can be read on Linux alone."

ALLOWED: Final = (
    Allowed("tests/unit/studies/test_real_data.py::*", "shared data are not at hand", _SHARED),
    Allowed("tests/unit/studies/test_odd_series.py::*", "shared data are not at hand", _SHARED),
    Allowed("tests/unit/studies/cases/test_chest.py::*", "shared data are not at hand", _SHARED),
    Allowed("tests/unit/systems/test_device_way.py::*", "needs CUDA", _CUDA),
    Allowed("tests/unit/backends/test_lane.py::*", "needs CUDA", _CUDA),
    Allowed("tests/unit/backends/test_fixed.py::*", "needs CUDA", _CUDA),
    Allowed("tests/unit/ondevice/*", "needs CUDA", _CUDA),
    Allowed("tests/unit/studies/test_index.py::*", "Windows has no such names", _UNIX),
    Allowed("tests/unit/studies/test_index.py::*", "this file system takes no such names", _UNIX),
    Allowed("tests/unit/studies/test_index.py::*", "modes are those of Unix", _UNIX),
    Allowed("tests/unit/studies/test_zips.py::*", "modes are those of Unix", _UNIX),
    Allowed("tests/unit/studies/test_dicomdir.py::*", "no links here", _UNIX),
    Allowed("tests/unit/viewer/test_libraries.py::*", "only there the loader can be called", _UNIX),
    Allowed("tests/gui/volume3d/test_link.py::*", "EGL is Linux's", _PROC),
    Allowed("tests/gui/volume3d/test_view.py::*", "there is no /proc here", _PROC),
    Allowed("tests/gui/test_command.py::*", "displays of Linux", _PROC),
    Allowed("tests/gui/test_watchdog.py::*", "the system does not say who waited", _PROC),
    Allowed("tests/e2e/test_freezes.py::*", "the system does not say who waited", _PROC),
    Allowed("tests/e2e/test_soak.py::*", "memory is read from /proc", _PROC),
    Allowed(
        "tests/e2e/test_program.py::*",
        "needs a screen",
        "Without one there is no window to stay open; `make test` brings its own.",
    ),
    Allowed(
        "tests/unit/backends/test_graph.py::*",
        "the processor adds products of 8 bit in 16 bit, which overflow",
        "Without VNNI; there the program itself compares before it uses 8 bit.",
    ),
    Allowed(
        "tests/unit/export/test_s*.py::*",
        "dicom3tools is not installed",
        "A second opinion on files that highdicom, pydicom and SimpleITK read back as well.",
    ),
    Allowed(
        "tests/unit/test_packaging.py::*",
        "not a git checkout",
        "A source archive has no history that could be asked what is committed.",
    ),
)

_unlisted: list[str] = []


def is_allowed(test: str, reason: str) -> bool:
    """Whether a test may be skipped for that reason."""
    return any(one.reason == reason and fnmatch(test, one.tests) for one in ALLOWED)


def _note(report: pytest.CollectReport | pytest.TestReport) -> None:
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    told = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = told.removeprefix("Skipped: ")
    if not is_allowed(report.nodeid, reason):
        _unlisted.append(f"{report.nodeid}: {reason}")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Hear of a test that was skipped."""
    _note(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Hear of a whole file that was skipped."""
    _note(report)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail the run."""
    if _unlisted and exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why."""
    if _unlisted:
        terminalreporter.section("skipped without leave", red=True)
        for line in _unlisted:
            terminalreporter.line(line)
        terminalreporter.line("Mend them, or list them in tests/skips.py with the reason.")
