"""A scan tells what it has found while it goes on, and keeps it when it is cancelled."""

from __future__ import annotations

import pytest

from inference.errors import CancelledError
from inference.progress import Progress
from inference.studies import Code, Found, dicom_scan, load, scan

Z = [-30.0, -28.0, -26.0, -24.0]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """Report after every folder."""
    monkeypatch.setattr(dicom_scan, "_REPORT_SECONDS", 0.0)


@pytest.fixture
def folders(write_series, tmp_path):
    """Write three series: two in folders of their own, and one in two folders."""
    write_series(Z, folder="data/a", uid="1.2.3.1", SeriesNumber=1)
    write_series(Z[:2], folder="data/b", uid="1.2.3.2", SeriesNumber=2)
    write_series([*Z[:3]], folder="data/c", uid="1.2.3.3", SeriesNumber=3)
    write_series([10.0, 12.0], folder="data/d", uid="1.2.3.3", SeriesNumber=3)
    return tmp_path / "data"


def counts(found: Found) -> dict[str, int]:
    return {s.uid: len(s.slices) for study in found.studies for s in study.series}


def test_series_are_told_when_their_folder_has_been_read(folders):
    told: list[Found] = []
    studies = scan(folders, found=told.append)
    assert [(each.done, each.total) for each in told] == [(4, 11), (6, 11), (9, 11), (11, 11)]
    assert counts(told[0]) == {"1.2.3.1": 4}
    assert counts(told[1]) == {"1.2.3.1": 4, "1.2.3.2": 2}
    # The third goes on in a folder that nobody can foresee.
    assert counts(told[3]) == {"1.2.3.1": 4, "1.2.3.2": 2, "1.2.3.3": 5}
    # What is known stays the same object, so that a list can keep its selection.
    assert studies[0].series[0] is told[0].studies[0].series[0]
    assert studies[0].series[1] is told[1].studies[0].series[1]
    assert load(told[0].studies[0].series[0]).shape[0] == 4


def test_series_that_share_a_folder_wait_for_it(write_series, tmp_path):
    write_series(Z, folder="data/all", uid="1.2.3.1")
    for path in write_series(Z, folder="other", uid="1.2.3.2"):
        path.rename(tmp_path / "data" / "all" / f"x{path.name}")
    told: list[Found] = []
    scan(tmp_path / "data", found=told.append)
    assert [counts(each) for each in told] == [{"1.2.3.1": 4, "1.2.3.2": 4}]


def test_cancelling_tells_all_that_was_read_and_doubts_what_is_half(folders):
    progress = Progress()

    def stop(stage, done, _total):
        if stage == "Reading headers" and done == 6:
            progress.cancelled.set()

    progress.callback = stop
    told: list[Found] = []
    with pytest.raises(CancelledError):
        scan(folders, progress, told.append)
    assert told[-1].done == 7
    assert counts(told[-1]) == {"1.2.3.1": 4, "1.2.3.2": 2, "1.2.3.3": 1}
    (study,) = told[-1].studies
    whole, half = study.series[0], study.series[2]
    assert not whole.problems
    assert [problem.code for problem in half.problems] == [Code.SCAN_CANCELLED]
    assert Code.SCAN_CANCELLED in {problem.code for problem in load(half).problems}


def test_cancelling_does_not_wait_for_pixels_to_be_compared(folders, write_series, monkeypatch):
    write_series(Z, folder="data/a2", uid="1.2.3.1", SeriesNumber=1, TemporalPositionIdentifier=2)
    progress = Progress()

    def stop(stage, _done, _total):
        if stage == "Comparing slices":
            progress.cancelled.set()

    progress.callback = stop
    told: list[Found] = []
    with pytest.raises(CancelledError):
        scan(folders, progress, told.append)
    assert counts(told[-1]).keys() >= {"1.2.3.1"}


def test_nothing_is_told_to_who_does_not_ask(folders):
    assert len(scan(folders)[0].series) == 3
