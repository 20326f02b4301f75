"""Two windows on one series: what each of them measures and decides is kept."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from inference import locks, review_store
from inference.errors import ExportRefusedError
from inference.lesion_review import Decision, Verdict
from inference.measurements import Kind, Measurement
from inference.measurements.store import Kept, load, save

MANY = 25

WINDOW = """
import sys
from pathlib import Path
import numpy as np
from inference.measurements import Kind, Measurement
from inference.measurements.store import save
from tests.factories import make_volume

volume = make_volume(np.zeros((6, 60, 80), np.int16), np.diag([0.5, 0.8, 2.0, 1.0]))
mine, known = (), ()
print("ready", flush=True)
sys.stdin.readline()
for turn in range(int(sys.argv[2])):
    number = max((each.number for each in mine), default=0) + 1
    made = Measurement.on(volume, Kind.LENGTH, [(1, 1, 1), (9, turn, 1)], 2, number=number)
    known = mine = save((*mine, made), volume, Path(sys.argv[1]), known).measurements
    print(made.id, flush=True)
"""


@pytest.fixture
def drawn(phantom):
    return tuple(
        Measurement.on(phantom(), Kind.LENGTH, [(1, 1, 2), (9, n, 2)], 2, number=n)
        for n in (1, 2, 3)
    )


def test_two_processes_that_measure_at_once_lose_nothing(phantom, tmp_path):
    command = [sys.executable, "-c", WINDOW, str(tmp_path / "kept"), str(MANY)]
    windows = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for window in windows:
        assert window.stdout is not None
        assert window.stdout.readline() == "ready\n"
    for window in windows:
        assert window.stdin is not None
        window.stdin.write("\n")
        window.stdin.flush()
    made = [name for window in windows for name in window.communicate()[0].split()]
    assert [window.returncode for window in windows] == [0, 0]
    volume = phantom()
    kept = load(volume, tmp_path / "kept")
    assert kept.notes == ()
    assert len(made) == 2 * MANY
    assert {each.id for each in kept.measurements} == set(made)
    assert [each.number for each in kept.measurements] == list(range(1, 2 * MANY + 1))


def test_each_side_s_doing_holds_and_the_newest_where_both_did(phantom, drawn, tmp_path):
    volume = phantom()
    one, two, three = drawn
    save(drawn, volume, tmp_path)
    theirs = (replace(one, text="theirs"), replace(three, text="theirs"))
    assert save(theirs, volume, tmp_path, drawn) == Kept(theirs)
    new = replace(one, id="f" * 32, number=4)
    mine = (replace(one, text="mine"), two, three, new)
    kept = save(mine, volume, tmp_path, drawn).measurements
    assert [(each.number, each.text) for each in kept] == [(1, "mine"), (3, "theirs"), (4, "")]
    assert load(volume, tmp_path).measurements == kept
    assert save((), volume, tmp_path, kept) == Kept(())
    assert save(kept, volume, tmp_path, kept) == Kept(()), "deleted there, unchanged here"
    assert load(volume, tmp_path) == Kept(())


def test_nothing_is_written_where_nothing_changed(phantom, drawn, tmp_path):
    assert save((), phantom(), tmp_path, ()) == Kept()
    assert list(tmp_path.iterdir()) == []
    save(drawn, phantom(), tmp_path, ())
    (file,) = tmp_path.iterdir()
    before = file.stat().st_ino
    save(drawn, phantom(), tmp_path, drawn)
    assert file.stat().st_ino == before


def test_a_file_that_was_damaged_meanwhile_is_set_aside_and_told(phantom, drawn, tmp_path):
    save(drawn[:1], phantom(), tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_text("{")
    kept = save(drawn, phantom(), tmp_path, drawn[:1])
    assert kept.measurements == drawn
    assert "set aside" in kept.notes[0]
    assert load(phantom(), tmp_path).measurements == drawn


def test_a_window_that_writes_for_ever_is_not_waited_for_for_ever(
    phantom, drawn, tmp_path, monkeypatch
):
    monkeypatch.setattr("inference.measurements.store._WAIT_SECONDS", 0.0)
    with (
        locks.held(tmp_path.with_name(f".{tmp_path.name}.lock"), 0.0),
        pytest.raises(ExportRefusedError, match="another window of SecondRead"),
    ):
        save(drawn, phantom(), tmp_path)


def test_decisions_of_two_windows(phantom, findings, tmp_path):
    volume = phantom()
    yes, no = Decision(Verdict.ACCEPTED), Decision(Verdict.REJECTED, "vessel")
    save_ = review_store.save
    assert save_({1: yes}, findings, volume, tmp_path, {}) == ({1: yes}, "")
    assert save_({2: no}, findings, volume, tmp_path, {}) == ({1: yes, 2: no}, "")
    taken_back = {1: Decision(), 2: Decision()}
    assert save_(taken_back, findings, volume, tmp_path, {1: yes}) == ({2: no}, "")
    assert review_store.load(findings, volume, tmp_path) == ({2: no}, "")
    (file,) = tmp_path.iterdir()
    assert list(json.loads(file.read_text("utf-8"))["decisions"]) == ["2"]
    file.write_text("{")
    kept, note = save_({1: yes}, findings, volume, tmp_path, {})
    assert kept == {1: yes}
    assert "set aside" in note


@pytest.fixture
def findings(phantom):
    import numpy as np

    from tests import factories

    volume = phantom()
    codes = np.zeros(volume.shape, np.uint8)
    codes[1, 10:20, 10:20] = 1
    codes[4, 40:50, 40:50] = 2
    return factories.make_findings(volume, codes, lungs=np.ones(volume.shape, bool))
