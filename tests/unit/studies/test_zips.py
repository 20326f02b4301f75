"""ZIP archives open by safe rules, leave nothing behind, and are refused in a sentence."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from inference.errors import BadInputError, CancelledError
from inference.progress import Progress
from inference.studies import Code, load, scan, unpacked

POSIX = pytest.mark.skipif(os.name == "nt", reason="modes are those of Unix")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the cache folder of the test, empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    unpacked.end()
    yield tmp_path / "cache" / "secondread" / "unpacked"
    unpacked.end()


def left(cache: Path) -> list[Path]:
    """Return the files that are unpacked anywhere."""
    return [path for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock"]


def refusal(path: Path) -> str:
    with pytest.raises(BadInputError) as caught:
        scan(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def pack(write_series: Callable[..., list[Path]], tmp_path: Path) -> Callable[..., Path]:
    """Return a function that makes an archive of one CT, and of more members."""

    def make(name: str = "study.zip", **more: bytes) -> Path:
        if not (tmp_path / "ct").exists():
            write_series([0.0, 2.0, 4.0])
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted((tmp_path / "ct").iterdir()):
                archive.write(path, f"disc/series/{path.name}")
            for member, data in more.items():
                archive.writestr(member, data)
        return tmp_path / name

    return make


def crafted(path: Path, name: str, data: bytes = b"x", mode: int = stat.S_IFREG | 0o644) -> Path:
    """Write an archive whose member has any name and Unix mode."""
    entry = zipfile.ZipInfo("placeholder")
    # What a hostile writer does; `ZipInfo` would clean the name.
    entry.filename = name
    entry.create_system = 3
    entry.external_attr = mode << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(entry, data)
    return path


def test_an_archive_opens_like_its_folder(pack, cache, tmp_path):
    path = pack(**{"readme.txt": b"hello", "__MACOSX/._a.dcm": b"junk"})
    (study,) = scan(path)
    (series,) = study.series
    assert not study.problems
    assert load(series).array[:, 0, 0].tolist() == [-1000, -999, -998]
    (there,) = scan(tmp_path / "ct")
    assert (study.uid, series.uid) == (there.uid, there.series[0].uid)
    assert all(source.path.is_relative_to(cache) for source in series.slices)


@POSIX
def test_what_is_unpacked_is_for_the_owner_alone(pack, cache):
    (series,) = scan(pack())[0].series
    assert series.slices[0].path.is_relative_to(cache)
    for folder in (cache, *(path for path in cache.iterdir() if path.is_dir())):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_it_is_gone_when_the_process_ends(pack, cache):
    program = "import sys; from inference.studies import scan; scan(sys.argv[1])"
    subprocess.run([sys.executable, "-c", program, str(pack())], check=True)
    assert list(cache.iterdir()) == []


def test_what_a_crash_left_is_swept_and_what_is_in_use_is_not(pack, cache):
    program = (
        "import os, sys; from inference.studies import scan, unpacked;"
        "scan(sys.argv[1]); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", program, str(pack())], check=False)
    assert len(left(cache)) == 3
    (series,) = scan(pack())[0].series
    # Another process sweeps: what the dead one left goes, what this one uses stays.
    sweep = "from inference.studies import unpacked; unpacked.sweep()"
    subprocess.run([sys.executable, "-c", sweep], check=True)
    assert sorted(left(cache)) == sorted(source.path for source in series.slices)


def test_the_same_archive_is_unpacked_once_and_a_changed_one_again(pack):
    first = scan(pack())[0].series[0].slices
    path = pack()
    os.utime(path, ns=(1, 1))
    second = scan(path)[0].series[0].slices
    assert scan(path)[0].series[0].slices == second
    assert second != first


def test_series_without_uids_keep_their_name_from_one_start_to_the_next(tmp_path):
    volume = SimpleITK.GetImageFromArray(np.full((3, 40, 40), -900, np.int16))
    SimpleITK.WriteImage(volume, str(tmp_path / "a.nii.gz"))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.nii.gz", "in/a.nii.gz")
    (first,) = scan(tmp_path / "a.zip")
    unpacked.end()
    (second,) = scan(tmp_path / "a.zip")
    assert (first.uid, first.series[0].uid) == (second.uid, second.series[0].uid)
    assert first.series[0].slices != second.series[0].slices
    assert first.description == "in"


@pytest.mark.parametrize(
    "name",
    ["../evil.dcm", "a/../../evil.dcm", "..\\evil.dcm", ".. /evil.dcm"],
)
def test_paths_that_leave_the_folder_are_refused(tmp_path, cache, name):
    assert "lead out of its folder" in refusal(crafted(tmp_path / "a.zip", name))
    assert not left(cache)


@pytest.mark.parametrize(
    "name", ["/etc/evil", "\\evil", "C:\\evil", "c:evil", "a/b:stream", "\\\\server\\share\\evil"]
)
def test_absolute_paths_and_drives_are_refused(tmp_path, cache, name):
    assert "absolute paths" in refusal(crafted(tmp_path / "a.zip", name))
    assert not left(cache)


def test_names_with_nul_are_refused(tmp_path):
    path = crafted(tmp_path / "a.zip", "evilQdcm")
    path.write_bytes(path.read_bytes().replace(b"evilQdcm", b"evil\0dcm"))
    assert "NUL" in refusal(path)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path, kind):
    path = crafted(tmp_path / "a.zip", "link", b"/etc/passwd", kind | 0o777)
    assert "links or devices" in refusal(path)


@pytest.mark.parametrize("flag", [0x1, 0x40, 0x2000], ids=["plain", "strong", "masked"])
def test_encryption_is_refused(pack, flag):
    path = pack()
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= flag & 0xFF
    data[at + 9] |= flag >> 8
    path.write_bytes(bytes(data))
    assert "is encrypted; unpack it with its password" in refusal(path)


@pytest.mark.parametrize(
    "names",
    [
        ("a.dcm", "A.DCM"),
        ("a.dcm", "a.dcm."),
        ("d/a.dcm", "D/a.dcm"),
        ("\u00e9.dcm", "e\u0301.dcm"),
        ("a", "A/b"),
    ],
)
def test_names_that_some_systems_hold_for_one_are_refused(tmp_path, names):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    assert "of one name" in refusal(tmp_path / "a.zip")


def test_too_many_files_and_folders_too_deep_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("inference.studies.zips.MAX_FILES", 3)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for i in range(4):
            archive.writestr(str(i), b"x")
    assert "more than 3 files" in refusal(tmp_path / "a.zip")
    assert "too deep" in refusal(crafted(tmp_path / "b.zip", "d/" * 40 + "a.dcm"))


@pytest.mark.parametrize("large", [False, True])
def test_a_directory_too_long_is_refused_before_it_is_read(tmp_path, monkeypatch, large):
    monkeypatch.setattr("inference.studies.zips.MAX_DIRECTORY_BYTES", 3_000)
    if large:
        # Make `zipfile` write the records of ZIP64.
        monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 10)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for i in range(100):
            archive.writestr(str(i), b"x")
    data = bytearray((tmp_path / "a.zip").read_bytes())
    if large:
        assert b"PK\x06\x06" in data
        data[-10:-6] = b"\0\0\0\0"
        (tmp_path / "a.zip").write_bytes(data)
    monkeypatch.setattr("inference.studies.zips.zipfile.ZipFile", None)
    assert "more than 100,000 files" in refusal(tmp_path / "a.zip")


def test_names_that_no_file_system_takes_are_refused(tmp_path, cache):
    path = crafted(tmp_path / "a.zip", "x" * 400)
    assert "names that this computer does not take" in refusal(path)
    assert not left(cache)


def test_what_declares_too_much_is_refused_before_anything_is_written(pack, cache, monkeypatch):
    monkeypatch.setattr("inference.studies.zips.MAX_UNPACKED_BYTES", 5_000)
    assert "would take more than" in refusal(pack())
    assert not cache.exists()


def test_bytes_are_counted_whatever_the_header_says(pack, cache, monkeypatch):
    monkeypatch.setattr("inference.studies.zips.MAX_UNPACKED_BYTES", 2_000_000)
    monkeypatch.setattr("inference.studies.zips._chunks", lambda *_: iter([bytes(10**6)] * 3))
    assert "would take more than" in refusal(pack())
    assert not left(cache)


def test_bytes_are_counted_of_all_members_together(pack, cache, monkeypatch):
    """Each alone would do."""
    monkeypatch.setattr("inference.studies.zips.MAX_UNPACKED_BYTES", 2_000_000)
    monkeypatch.setattr("inference.studies.zips._chunks", lambda *_: iter([bytes(800_000)]))
    path = pack()
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == 3
    assert "would take more than" in refusal(path)
    assert not left(cache)


def test_a_header_that_promises_less_than_it_holds_gives_no_more(tmp_path, cache):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.dcm", bytes(5_000_000))
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    path.write_bytes(bytes(data))
    assert "“a.dcm” is damaged and was left out" in refusal(path)
    assert not left(cache)


def test_an_archive_inside_is_left_out_and_said(pack, tmp_path):
    inner = pack("inner.zip").read_bytes()
    path = pack("outer.zip", **{"disc/inner.zip": inner, "disc/hidden.dcm": inner})
    (study,) = scan(path)
    (problem,) = study.problems
    assert problem.code == Code.NESTED_ARCHIVE
    assert (
        "“inner.zip”, “hidden.dcm” are archives inside the archive and were left out"
        in problem.sentence
    )
    assert len(study.series[0].slices) == 3
    with zipfile.ZipFile(tmp_path / "only.zip", "w") as archive:
        archive.writestr("inner.zip", inner)
    assert "“inner.zip” is an archive inside the archive and was left out" in refusal(
        tmp_path / "only.zip"
    )


def test_a_damaged_member_is_left_out_and_said(pack):
    path = pack()
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x03\x04", 10) + 60
    data[at : at + 20] = bytes(20)
    path.write_bytes(bytes(data))
    (study,) = scan(path)
    assert [problem.code for problem in study.problems] == [Code.DAMAGED_MEMBERS]
    assert len(study.series[0].slices) == 2


@pytest.mark.parametrize("kept", [0.2, 0.9])
def test_an_archive_cut_off_is_refused(pack, kept):
    path = pack()
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    assert "damaged or incomplete ZIP archive" in refusal(path)


def test_an_archive_without_images_says_so(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", b"hello")
    assert "The archive “a.zip” holds 1 files but no DICOM" in refusal(tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "b.zip", "w"):
        pass
    assert "The archive “b.zip” is empty" in refusal(tmp_path / "b.zip")


def test_a_full_disk_is_a_sentence_and_leaves_nothing(pack, cache, monkeypatch):
    usage = type("Usage", (), {"free": 10})
    path = pack()
    monkeypatch.setattr("inference.studies.zips.shutil.disk_usage", lambda _folder: usage)
    assert "full or may not be written" in refusal(path)
    assert not left(cache)


@pytest.mark.parametrize("after", [0, 2, 4])
def test_cancel_in_the_middle_leaves_nothing(pack, cache, after):
    progress = Progress()
    seen: list[str] = []

    def hear(stage: str, _done: int, _total: int) -> None:
        seen.append(stage)
        if len(seen) > after:
            progress.cancelled.set()

    progress.callback = hear
    with pytest.raises(CancelledError):
        scan(pack(), progress)
    assert set(seen) == {"Unpacking"}
    assert not left(cache)


def test_archives_in_a_folder_stay_closed_and_it_is_said(pack, tmp_path):
    pack()
    studies = scan(tmp_path)
    (problem,) = studies[0].problems
    assert "1 ZIP archive in the folder, such as “study.zip”, stayed closed" in problem.sentence
    (tmp_path / "only").mkdir()
    (tmp_path / "study.zip").rename(tmp_path / "only" / "study.zip")
    assert "stayed closed" in refusal(tmp_path / "only")
