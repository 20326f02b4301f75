"""A disk that is full, or lies, leaves what was there, and is no success."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import SimpleITK

import inference.systems
from inference.cli import run
from inference.errors import BadInputError, NotWrittenError
from inference.export import archive, labels, results
from inference.findings import Findings
from inference.measurements import Kind, Measurement, table
from inference.studies.model import Volume
from inference.systems import Context

NAMES = ("seg.dcm", "labels.nii.gz", "labels.nii", "view.png", "lesions.csv", "f.json")


class Known:
    """Says of any volume what is known of this one."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings

    def analyse(self, _volume: Volume, _context: Context) -> Findings:
        return self.findings


@contextmanager
def full_at(size: int) -> Iterator[None]:
    """No file grows beyond so many bytes: writing fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def source(volume: Volume) -> Path:
    return volume.slices[0].path.parent


@pytest.fixture
def analysed(
    findings: Findings, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    monkeypatch.setattr(inference.systems, "get_system", lambda _name: Known(findings))
    assert run(["analyse", str(source), "--out", str(tmp_path / "out")]) == 0
    return tmp_path / "out"


def everything(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("name", NAMES)
def test_an_export_on_a_full_disk_fails_and_leaves_the_earlier_file(
    analysed: Path, source: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / name).write_bytes(b"earlier")
    capsys.readouterr()
    with full_at(64):
        status = run(
            ["export", str(source), "--findings", str(analysed), "--to", str(folder / name)]
        )
    assert status == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"{name} could not be written (")
    assert "the earlier file is as it was" in said.err
    assert said.err.count("\n") == 1
    assert everything(folder) == {name: b"earlier"}


@pytest.mark.parametrize("size", [0, 64, 1000, 3000])
def test_an_analysis_on_a_full_disk_fails_and_leaves_the_earlier_results(
    analysed: Path, source: Path, size: int, capsys: pytest.CaptureFixture[str]
) -> None:
    (analysed / "mine.txt").write_text("mine")
    before = everything(analysed)
    capsys.readouterr()
    with full_at(size):
        assert run(["analyse", str(source), "--out", str(analysed)]) == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"Nothing was written to {analysed}, and what was there before is")
    assert "Written" not in said.out
    assert everything(analysed) == before
    results.require_whole(analysed, "archive")


def test_a_folder_that_was_not_there_is_not_there_after_a_failure(
    analysed: Path, source: Path, tmp_path: Path
) -> None:
    with full_at(64):
        assert run(["analyse", str(source), "--out", str(tmp_path / "new")]) == 1
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("how", ["cut", "other value", "moved"])
def test_a_label_map_is_read_back(
    findings: Findings, volume: Volume, tmp_path: Path, suffix: str, how: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """ITK's writer says nothing of a file that it could not write to its end."""
    write = SimpleITK.WriteImage

    def lie(image: SimpleITK.Image, name: str, **options: object) -> None:
        if how == "other value":
            image = SimpleITK.Image(image)
            image.SetPixel(0, 0, 0, 3)
        elif how == "moved":
            image = SimpleITK.Image(image)
            image.SetOrigin([x + 1 for x in image.GetOrigin()])
        write(image, name, **options)
        if how == "cut":
            Path(name).write_bytes(Path(name).read_bytes()[:-20])

    path = tmp_path / f"labels{suffix}"
    path.write_bytes(b"earlier")
    monkeypatch.setattr(SimpleITK, "WriteImage", lie)
    with pytest.raises(NotWrittenError, match="does not read back"):
        labels.write_nifti(findings, volume, path)
    assert path.read_bytes() == b"earlier"


def test_a_label_map_of_a_name_that_is_no_text(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    path = Path(str(tmp_path / "M\udcfcller.nii.gz"))
    labels.write_nifti(findings, volume, path)
    assert path.stat().st_size > 100


def test_a_table_of_measurements_on_a_full_disk(volume: Volume, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("earlier")
    drawn = Measurement.on(volume, Kind.LENGTH, [(1, 1, 1), (9, 9, 1)], 2, number=1)
    with full_at(64), pytest.raises(OSError, match=r"too large|File"):
        table.write((drawn,), volume, path)
    assert path.read_bytes() == b"earlier"
    assert not list(tmp_path.glob(".*"))
    table.write((drawn,), volume, path)
    assert b"length" in path.read_bytes()


def test_an_archive_that_cannot_be_replaced_still_holds(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    archive.save(findings, volume, tmp_path / "kept")
    for size in (10, 900):
        with full_at(size), pytest.raises(NotWrittenError, match="could not be kept"):
            archive.save(replace(findings, notes=("later",)), volume, tmp_path / "kept")
        assert archive.load(tmp_path / "kept", volume).notes == findings.notes
    archive.save(replace(findings, notes=("later",)), volume, tmp_path / "kept")
    assert archive.load(tmp_path / "kept", volume).notes == ("later",)
    assert len(list((tmp_path / "kept").iterdir())) == 2


class TestMark:
    """``complete.json``: written last, gone first."""

    def test_it_lists_every_file(self, analysed: Path) -> None:
        results.require_whole(analysed, "archive")
        names = set(everything(analysed)) - {results.MARK}
        text = (analysed / results.MARK).read_text("utf-8")
        assert all(f'"{name}"' in text for name in names)

    @pytest.mark.parametrize("after", range(10))
    def test_stopped_while_moving_is_a_part_and_known_as_one(
        self, analysed: Path, source: Path, findings: Findings, volume: Volume, after: int,
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    ) -> None:  # fmt: skip
        """After so many files have been moved: as before, or without the mark."""
        before = everything(analysed)
        moved = 0
        replace_ = Path.replace

        def stop(self: Path, to: Path) -> Path:
            nonlocal moved
            if ".part" not in self.name:
                if moved == after:
                    raise KeyboardInterrupt
                moved += 1
            return replace_(self, to)

        later = replace(findings, notes=("later",))
        monkeypatch.setattr(inference.systems, "get_system", lambda _name: Known(later))
        monkeypatch.setattr(Path, "replace", stop)
        status = run(["analyse", str(source), "--out", str(analysed)])
        monkeypatch.undo()
        to = tmp_path / "again.json"
        capsys.readouterr()
        export = ["export", str(source), "--findings", str(analysed), "--to", str(to)]
        now = everything(analysed)
        assert not any(".part" in name for name in now)
        if status == 0:
            assert results.MARK in now
            assert run(export) == 0
            return
        assert status == 130
        assert results.MARK not in now
        assert now != before
        assert run(export) == 2
        err = capsys.readouterr().err
        assert "not known to be whole" in err or "no findings" in err
        assert not to.exists()

    @pytest.mark.parametrize("how", ["gone", "cut", "other", "no path", "newer"])
    def test_a_mark_that_does_not_hold_is_said(self, analysed: Path, how: str) -> None:
        mark = analysed / results.MARK
        text = mark.read_text("utf-8")
        if how == "gone":
            mark.unlink()
        elif how == "cut":
            mark.write_text(text[:50])
        elif how == "no path":
            mark.write_text(text.replace('"path": "archive/', '"path": "archive/no'))
        elif how == "newer":
            mark.write_text(text.replace('"version": 1', '"version": 7'))
        else:
            with (analysed / "archive" / "archive.json").open("a") as file:
                file.write(" ")
        said = "not known to be whole" if how == "gone" else "not those that were written"
        with pytest.raises(BadInputError, match=said):
            results.require_whole(analysed, "archive")

    def test_results_are_for_their_owner(
        self, analysed: Path, source: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert {path.stat().st_mode & 0o077 for path in (analysed, *analysed.rglob("*"))} == {0}
        monkeypatch.setenv("SECONDREAD_UMASK", "027")
        shared = analysed.parent / "shared"
        assert run(["analyse", str(source), "--out", str(shared)]) == 0
        for path in (shared, *shared.rglob("*")):
            assert path.stat().st_mode & 0o777 == (0o750 if path.is_dir() else 0o640), path
