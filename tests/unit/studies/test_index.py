"""A folder that was opened before is not read again; what changed in it is; names stay private."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.errors import BadInputError, CancelledError
from inference.progress import Progress
from inference.studies import dicom_header, dicom_read, index, load, scan
from inference.studies.dicom_header import read_header
from inference.studies.header_store import decode, encode

AXIAL_Z = [-30.0, -28.0, -26.0, -24.0, -22.0]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the index of the test, which is not there yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "secondread" / "index" / "headers.sqlite"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the names of files of which anything is read in a scan."""
    names: list[str] = []
    read, digest, opened = dicom_header.read_header, index.values_digest, Path.open

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def do(path: Path, *args: Any, **settings: Any) -> Any:
            names.append(path.name)
            return call(path, *args, **settings)

        return do

    monkeypatch.setattr(dicom_header, "read_header", counted(read))
    monkeypatch.setattr(index, "values_digest", counted(digest))
    monkeypatch.setattr(Path, "open", counted(opened))
    return names


def old(paths: list[Path], seconds: float = 60.0) -> list[Path]:
    """Date files back: what was changed a moment ago is not kept."""
    for path in paths:
        then = time.time() - seconds
        os.utime(path, (then, then))
    return paths


@pytest.fixture
def series(write_series: Callable[..., list[Path]]) -> list[Path]:
    """Write five slices that have not been touched for a minute."""
    return old(write_series(AXIAL_Z))


def test_an_unchanged_folder_is_opened_without_reading_anything(series, reads, tmp_path):
    first = scan(tmp_path / "ct")
    assert set(reads) == {path.name for path in series}
    reads.clear()
    assert scan(tmp_path / "ct") == first
    assert reads == []
    assert load(first[0].series[0]).array.shape == (5, 40, 40)


def test_a_known_file_is_looked_at_once(series, tmp_path, monkeypatch):
    scan(tmp_path / "ct")
    looked: list[Path] = []
    stamp_of = index.stamp_of
    monkeypatch.setattr(index, "stamp_of", lambda path: (looked.append(path), stamp_of(path))[1])
    scan(tmp_path / "ct")
    assert sorted(looked) == sorted(series)


def test_a_file_alone_is_known_as_well(series, reads, tmp_path):
    scan(tmp_path / "ct")
    reads.clear()
    assert len(scan(series[0])[0].series[0].slices) == 1
    assert "read_header" not in reads


def test_changed_new_and_removed_files_are_noticed(series, write_slice, reads, tmp_path):
    scan(tmp_path / "ct")
    reads.clear()
    series[0].unlink()
    write_slice(f"ct/{series[1].name}", SOPInstanceUID="1.2.3.4.77", SeriesDescription="changed",
                ImagePositionPatient=[-10, -20, -28])  # fmt: skip
    write_slice("ct/new", SOPInstanceUID="1.2.3.4.88", ImagePositionPatient=[-10, -20, -12])
    slices = scan(tmp_path / "ct")[0].series[0].slices
    assert set(reads) == {series[1].name, "new"}
    assert len(slices) == 5
    uids = {source.sop_instance_uid for source in slices}
    assert uids >= {"1.2.3.4.77", "1.2.3.4.88"}
    assert "1.2.3.4.1" not in uids


def test_the_same_size_and_time_with_another_inode_is_another_file(series, reads, tmp_path):
    scan(tmp_path / "ct")
    status = series[0].stat()
    data = series[0].read_bytes()
    other = tmp_path / "other"
    other.write_bytes(data.replace(b"made up", b"changed"))
    other.replace(series[0])
    os.utime(series[0], ns=(status.st_atime_ns, status.st_mtime_ns))
    reads.clear()
    scan(tmp_path / "ct")
    assert set(reads) == {series[0].name}


def test_what_was_changed_a_moment_ago_is_read_again(write_series, reads, tmp_path):
    write_series(AXIAL_Z)
    scan(tmp_path / "ct")
    reads.clear()
    scan(tmp_path / "ct")
    assert len(set(reads)) == 5


def test_removed_files_are_forgotten(series, cache, tmp_path):
    scan(tmp_path / "ct")
    series[0].unlink()
    scan(tmp_path / "ct")
    assert index.size().files == 4
    for path in series[1:]:
        path.rename(tmp_path / path.name)
    with pytest.raises(BadInputError, match="is empty"):
        scan(tmp_path / "ct")
    assert index.size().files == 0
    assert b"Nobody" not in cache.read_bytes()


def test_a_folder_of_like_name_is_left_alone(series, write_series, tmp_path):
    old(write_series(AXIAL_Z, folder="ct_2", uid="1.2.9"))
    scan(tmp_path / "ct_2")
    scan(tmp_path / "ct")
    assert index.size().files == 10


def test_pixels_that_had_to_be_compared_are_not_compared_again(series, write_series, reads,
                                                               tmp_path):  # fmt: skip
    for path in old(write_series(AXIAL_Z, folder="ct/b", TemporalPositionIdentifier=2)):
        path.write_bytes(path.read_bytes()[:-1] + b"\x01")
        old([path])
    first = scan(tmp_path / "ct")
    assert len(reads) > 20
    reads.clear()
    assert scan(tmp_path / "ct") == first
    assert reads == []


def test_other_objects_are_not_read_again(series, write_slice, reads, tmp_path):
    old([write_slice("ct/seg", Modality="SEG")])
    first = scan(tmp_path / "ct")
    reads.clear()
    assert scan(tmp_path / "ct") == first
    assert reads == []
    assert first[0].problems


def test_what_was_read_before_cancelling_is_kept(series, reads, tmp_path):
    progress = Progress()

    def stop(stage: str, done: int, _total: int) -> None:
        if stage == "Reading headers" and done == 2:
            progress.cancelled.set()

    progress.callback = stop
    with pytest.raises(CancelledError):
        scan(tmp_path / "ct", progress)
    read = set(reads)
    reads.clear()
    scan(tmp_path / "ct")
    known = {path.name for path in series} - set(reads)
    assert len(known) >= 3
    assert read


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_names_that_are_no_text_are_read_and_not_kept(series, reads, tmp_path):
    try:
        (tmp_path / "ct").rename(tmp_path / os.fsdecode(b"ct\xff"))
    except OSError:
        pytest.skip("this file system takes no such names")
    for _ in range(2):
        reads.clear()
        assert len(scan(tmp_path / os.fsdecode(b"ct\xff"))[0].series[0].slices) == 5
        assert len(set(reads)) == 5


@pytest.mark.parametrize("data", [b"no database at all, but quite a long text " * 50, b"SQLite"])
def test_a_damaged_index_is_made_anew(series, cache, reads, tmp_path, data):
    first = scan(tmp_path / "ct")
    cache.write_bytes(data)
    assert scan(tmp_path / "ct") == first
    reads.clear()
    scan(tmp_path / "ct")
    assert reads == []


def test_an_index_damaged_inside_is_no_error(series, cache, tmp_path):
    first = scan(tmp_path / "ct")
    data = bytearray(cache.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    cache.write_bytes(bytes(data))
    assert scan(tmp_path / "ct") == first
    assert scan(tmp_path / "ct") == first


def test_a_locked_index_is_no_error_and_stays(series, cache, tmp_path, monkeypatch):
    monkeypatch.setattr(index, "_LOCK_SECONDS", 0.01)
    first = scan(tmp_path / "ct")
    with closing(sqlite3.connect(cache, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert scan(tmp_path / "ct") == first
    assert index.size().files == 5


def test_a_cache_folder_that_may_not_be_written_is_no_error(series, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(scan(tmp_path / "ct")[0].series[0].slices) == 5
    assert index.size() == index.Size(0, 0, 0)


def test_another_version_drops_it(series, reads, tmp_path, monkeypatch):
    scan(tmp_path / "ct")
    reads.clear()
    monkeypatch.setattr(index, "_VERSION", "another")
    scan(tmp_path / "ct")
    assert len(set(reads)) == 5
    assert index.size().files == 5


@pytest.mark.skipif(os.name == "nt", reason="modes are those of Unix")
def test_it_is_for_the_owner_alone(series, cache, tmp_path):
    scan(tmp_path / "ct")
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600
    assert b"made up" not in cache.read_bytes()


def test_the_oldest_folders_go_first(write_series, tmp_path, monkeypatch):
    for name in ("a", "b", "c"):
        old(write_series(list(np.arange(40.0)), folder=name, uid=f"1.2.{ord(name)}"))
    scan(tmp_path / "a")
    scan(tmp_path / "b")
    scan(tmp_path / "a")
    # Two folders and the page that they may be apart.
    monkeypatch.setattr(index, "_MAX_BYTES", index.size().bytes + 4096)
    scan(tmp_path / "c")
    with closing(sqlite3.connect(index.index_path())) as connection:
        kept = {Path(path).name for (path,) in connection.execute("SELECT path FROM folders")}
    assert kept == {"a", "c"}


def test_it_can_be_cleared(series, cache, tmp_path):
    scan(tmp_path / "ct")
    assert index.size().folders == 1
    index.clear()
    assert not cache.exists()
    assert index.size() == index.Size(0, 0, 0)
    index.clear()


def test_every_field_of_a_header_survives(write_slice):
    path = write_slice(
        WindowCenter=[-600.5, 40], WindowWidth=[1500, 400], ViewPosition="PA", EchoNumbers=2,
        WindowCenterWidthExplanation=["Lung", "Brust"], PixelPaddingValue=7, SliceLocation=1.25,
        PatientName="M\u00fcller^J\u00f6rg", SpecificCharacterSet="ISO_IR 192",
    )  # fmt: skip
    header = read_header(path)
    assert decode(encode(header), path) == header
    bare = read_header(write_slice("b", ImagePositionPatient=None, PixelSpacing=None))
    assert decode(encode(bare), bare.frames[0].path) == bare
    for damaged in (b"", b"x", encode(header)[:-4]):
        with pytest.raises(ValueError, match="no header"):
            decode(damaged, path)


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Make reading wait, as on a network drive; collect how many files are read at a time."""
    at_once: list[int] = []
    now = 0
    read = dicom_header.read_header

    def wait(path: Path) -> Any:
        nonlocal now
        now += 1
        at_once.append(now)
        time.sleep(0.02)
        try:
            return read(path)
        finally:
            now -= 1

    monkeypatch.setattr(dicom_header, "read_header", wait)
    monkeypatch.setattr(dicom_read, "_TRIAL", 4)
    return at_once


def test_several_are_read_at_a_time_where_the_disk_is_slow(
    write_series, write_slice, slow_disk, tmp_path
):
    paths = old(write_series(list(np.arange(40.0))))
    paths[7].write_bytes(paths[7].read_bytes()[:-100])
    write_slice("ct/mr.dcm", Modality="MR")
    old([paths[7]])
    first = scan(tmp_path / "ct")
    assert max(slow_disk) > 3
    assert len(first[0].series[0].slices) == 39
    assert {problem.code for problem in first[0].problems} == {"unreadable-files", "other-objects"}
    index.clear()
    slow_disk.clear()
    assert scan(tmp_path / "ct") == first


def test_cancelling_many_readers_leaves_no_thread(write_series, slow_disk, tmp_path):
    write_series(list(np.arange(40.0)))
    progress = Progress()

    def stop(_stage: str, done: int, _total: int) -> None:
        if max(slow_disk, default=0) > 3 and done > 12:
            progress.cancelled.set()

    progress.callback = stop
    with pytest.raises(CancelledError):
        scan(tmp_path / "ct", progress)
    assert len(slow_disk) < 40
