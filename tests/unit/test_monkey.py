"""What watches the program in `tests.monkey` would notice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.monkey.watch import Growth, loaded_files

_ROOT = Path(__file__).parents[2]

_FAULTS = """
import sys, threading
from tests.monkey.watch import Watch, hear_faults
hear_faults(sys.stderr)
from PySide6.QtCore import QCoreApplication, QTimer, qWarning
from inference.faults import record
app = QCoreApplication([])
watch = Watch(0.2)
def boom():
    raise ValueError("seen")
{act}
QTimer.singleShot(700, app.quit)
app.exec()
print(watch.trouble())
"""


@pytest.mark.parametrize(
    ("act", "kind", "words"),
    [
        ("QTimer.singleShot(0, boom)", "fault", "ValueError: seen"),
        ("threading.Thread(target=boom).start()", "fault", "ValueError: seen"),
        ("record(ValueError('seen'), 'A part', ended='is gone')", "fault", "ValueError: seen"),
        ("qWarning('torn')", "Qt warning", "torn"),
        ("QTimer.singleShot(50, lambda: __import__('time').sleep(0.5))", "hang", "held up"),
    ],
)
def test_what_must_not_happen_is_heard(
    act: str, kind: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", _FAULTS.replace("{act}", act)],
        capture_output=True, text=True, timeout=120, check=False, cwd=_ROOT,
    )  # fmt: skip
    assert f"kind='{kind}'" in done.stdout, done.stderr
    assert words in done.stdout


def test_quiet_is_no_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", _FAULTS.replace("{act}", "").replace("(0.2)", "(20)")],
        capture_output=True, text=True, timeout=120, check=False, cwd=_ROOT,
    )  # fmt: skip
    assert done.stdout.strip() == "None", done.stderr


def test_widgets_that_become_more_each_round_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.monkey.watch.memory_mb", lambda: 800.0)
    counts = iter(range(300, 3000, 100))
    growth = Growth(lambda: next(counts), frozenset)
    troubles = [growth.look() for _ in range(Growth.WARM + 2 * Growth.COMPARED + 6)]
    assert troubles[0] is None
    (last,) = {t.kind for t in troubles if t is not None}
    assert last == "memory"
    assert troubles[-1] is not None
    assert troubles[-1].text.startswith("widgets after each round, from the 4th on: 300, 400")


def test_memory_that_stays_is_no_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = iter([500.0, 900.0, 1100.0, 1200.0, *[1300.0, 1250.0] * 10])
    monkeypatch.setattr("tests.monkey.watch.memory_mb", lambda: next(sizes))
    growth = Growth(lambda: 300, frozenset)
    assert [growth.look() for _ in range(20)] == [None] * 20


def test_what_a_library_brings_late_is_no_alarm_and_what_grows_after_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late = 12
    sizes = [1000.0] * late + [1500.0] * 10 + [2000.0] * 3
    looks = iter(range(len(sizes)))

    def files() -> frozenset[str]:
        return frozenset({"/a.so", "/b.so"} if next(looks) >= late else {"/a.so"})

    left = iter(sizes)
    monkeypatch.setattr("tests.monkey.watch.memory_mb", lambda: next(left))
    growth = Growth(lambda: 300, files)
    troubles = [growth.look() for _ in sizes]
    assert troubles[:-1] == [None] * (len(sizes) - 1)
    assert troubles[-1] is not None
    assert "from the 13th on" in troubles[-1].text


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_libraries_in_memory_are_named() -> None:
    assert any("QtCore" in file for file in loaded_files())
