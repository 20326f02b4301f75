"""Progress, cancelling, damage met while decoding, and silence."""

from __future__ import annotations

import threading
import warnings

import numpy as np
import pytest
from pydicom.uid import RLELossless

from inference.errors import BadInputError, CancelledError
from inference.progress import Progress
from inference.studies import Code, dicom_load, load, scan, with_modality
from inference.studies.quiet import quiet


@pytest.fixture
def compressed(make_dataset, tmp_path):
    """Five RLE slices; returns their paths from feet to head."""
    paths = []
    for i in range(5):
        ds = make_dataset(
            np.full((40, 40), 24 + i, np.uint16), ImagePositionPatient=[0, 0, 2.0 * i],
            SOPInstanceUID=f"1.2.3.4.{i + 1}",
        )  # fmt: skip
        ds.compress(RLELossless, generate_instance_uid=False)
        paths.append(tmp_path / f"{i}.dcm")
        ds.save_as(paths[-1], enforce_file_format=True)
    return paths


def damage(path) -> None:
    """Spoil the header of the RLE data, which no length can tell."""
    data = path.read_bytes()
    header = b"\x02\x00\x00\x00\x40\x00\x00\x00"
    assert header in data
    path.write_bytes(data.replace(header, b"\xff" * 8))


def test_progress_counts_up_to_all(compressed, tmp_path):
    seen: list[tuple[str, int, int]] = []
    progress = Progress(lambda *report: seen.append(report))
    load(scan(tmp_path, progress)[0].series[0], progress)
    assert {stage for stage, _, _ in seen} == {
        "Looking for images", "Reading headers", "Reading slices",
    }  # fmt: skip
    slices = [done for stage, done, total in seen if stage == "Reading slices" and total == 5]
    assert slices == sorted(slices)
    assert slices[-1] == 5


def test_cancel_stops_the_scan(compressed, tmp_path):
    progress = Progress()
    progress.cancelled.set()
    with pytest.raises(CancelledError):
        scan(tmp_path, progress)


def test_cancel_stops_decoding_and_leaves_no_thread(compressed, tmp_path, monkeypatch):
    # One file at a time: else all of these small ones may be done before the first report.
    monkeypatch.setattr(dicom_load, "_MAX_THREADS", 1)
    (series,) = scan(tmp_path)[0].series
    progress = Progress()

    def cancel(stage: str, done: int, total: int) -> None:
        # The report that learns of it is the next one, so the last file must not be the first.
        if stage == "Reading slices" and done < total:
            progress.cancelled.set()

    progress.callback = cancel
    before = threading.active_count()
    with pytest.raises(CancelledError):
        load(series, progress)
    assert threading.active_count() == before


def test_slices_that_cannot_be_decoded_are_left_out_and_named(compressed, tmp_path):
    damage(compressed[1])
    volume = load(scan(tmp_path)[0].series[0])
    found = {problem.code: problem for problem in volume.problems}
    assert found[Code.UNREADABLE_SLICES].files == (compressed[1],)
    assert "1 of 5" in found[Code.UNREADABLE_SLICES].sentence
    assert Code.MISSING_SLICES in found
    assert volume.array[:, 0, 0].tolist() == [-1000, -998, -997, -996]
    assert [s.path for s in volume.slices] == [compressed[i] for i in (0, 2, 3, 4)]
    np.testing.assert_allclose(volume.position(0, 0, 3), (0, 0, 8))


def test_a_series_without_one_good_slice_is_refused(compressed, tmp_path):
    for path in compressed:
        damage(path)
    (series,) = scan(tmp_path)[0].series
    with pytest.raises(BadInputError, match="damaged and cannot be decoded"):
        load(series)


def test_files_that_went_away_are_refused_in_words(compressed, tmp_path):
    (series,) = scan(tmp_path)[0].series
    compressed[0].unlink()
    with pytest.raises(BadInputError, match=r"“0\.dcm” may not be read"):
        load(series)


def test_files_that_changed_are_refused_in_words(write_slice):
    path = write_slice()
    (series,) = scan(path)[0].series
    write_slice(pixels=np.zeros((50, 50), np.uint16))
    with pytest.raises(BadInputError, match="has changed"):
        load(series)


def test_unknown_compression_is_refused_by_name(write_slice):
    path = write_slice()
    data = path.read_bytes()
    path.write_bytes(data.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.6\0"))
    with pytest.raises(BadInputError, match="cannot be decoded; export it uncompressed"):
        load(scan(path)[0].series[0])


def test_too_large_a_series_is_refused_before_memory_is_taken(write_slice, monkeypatch):
    (series,) = scan(write_slice())[0].series
    monkeypatch.setattr("inference.studies.dicom_load.MAX_VOXELS", 100)
    with pytest.raises(BadInputError, match="too large"):
        load(series)


def test_running_out_of_memory_is_said_in_words(write_slice, monkeypatch):
    (series,) = scan(write_slice())[0].series

    def empty(*_args, **_kwargs):
        raise MemoryError

    monkeypatch.setattr("inference.studies.dicom_load.np.zeros", empty)
    with pytest.raises(BadInputError, match="do not fit into memory"):
        load(series)


def test_modality_of_a_picture_may_be_told(write_slice):
    volume = load(scan(write_slice())[0].series[0])
    assert with_modality(volume, "DX").modality == "DX"
    with pytest.raises(BadInputError, match="“MR” is no modality"):
        with_modality(volume, "MR")


def test_warnings_are_silent_inside_and_restored_after_overlapping_threads():
    filters = list(warnings.filters)
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with quiet():
            entered.set()
            leave.wait(5)

    thread = threading.Thread(target=other)
    with quiet():
        thread.start()
        entered.wait(5)
    warnings.warn("still inside another thread", stacklevel=1)
    leave.set()
    thread.join()
    assert warnings.filters == filters
    with pytest.raises(UserWarning, match="outside"):
        warnings.warn("outside", stacklevel=1)
