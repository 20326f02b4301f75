"""``secondread analyse`` and ``export`` from files to files, with a system without weights."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import highdicom as hd
import numpy as np
import pydicom
import pytest
import SimpleITK

import inference.systems
from inference.cli import run
from inference.errors import AnalysisError
from inference.export import archive
from inference.findings import Findings, Manifestation
from inference.studies import load, scan
from inference.studies.model import Volume
from inference.systems import Context


class FakeSystem:
    """Says of any volume what it was told to say."""

    name = "elbana"

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.context: Context | None = None

    def analyse(self, volume: Volume, context: Context) -> Findings:
        self.context = context
        context.progress.report("Segmenting", 1, 2)
        return replace(self.findings, series_uid=volume.series_uid, affine=volume.affine,
                       shape=volume.shape)  # fmt: skip


@pytest.fixture
def system(findings: Findings, monkeypatch: pytest.MonkeyPatch) -> FakeSystem:
    fake = FakeSystem(findings)
    monkeypatch.setattr(inference.systems, "get_system", lambda name: fake)
    return fake


@pytest.fixture
def source(volume: Volume) -> Path:
    """The folder of the volume's DICOM files."""
    return volume.slices[0].path.parent


@pytest.fixture
def analysed(system: FakeSystem, source: Path, tmp_path: Path) -> Path:
    assert run(["analyse", str(source), "--out", str(tmp_path / "out")]) == 0
    return tmp_path / "out"


def test_analyse_writes_everything(analysed: Path, findings: Findings) -> None:
    assert {p.name for p in analysed.iterdir()} == {
        "findings.json", "lesions.csv", "labels.nii.gz", "seg.dcm", "slices", "archive",
        "complete.json",
    }  # fmt: skip
    labels = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(analysed / "labels.nii.gz")))
    for value, segment in enumerate(findings.segments, start=1):
        np.testing.assert_array_equal(labels == value, segment.mask)
    assert (labels > 0).sum() == sum(segment.mask.sum() for segment in findings.segments)
    assert pydicom.dcmread(analysed / "seg.dcm").Modality == "SEG"
    assert {p.name for p in (analysed / "slices").iterdir()} == {
        "ggo_002.png", "consolidation_003.png",
    }  # fmt: skip


def test_analyse_prints_a_summary(
    system: FakeSystem, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["analyse", str(source), "--out", str(tmp_path / "o")]) == 0
    said = capsys.readouterr().out
    assert "CT, 6 slices of 48 × 40, 4 analysed on test device" in said
    assert "Ground-glass opacity" in said
    assert "0.80" in said
    assert "2 slices without lung were not analysed." in said
    assert "Peak memory" in said
    assert "Research use only. Not for diagnosis." in said
    assert str(tmp_path / "o" / "findings.json") in said


def test_the_json_tells_of_the_reading(analysed: Path) -> None:
    text = (analysed / "findings.json").read_text("utf-8")
    assert json.loads(text)["study"]["slices"] == 6
    assert "1234567" not in text


def test_settings_reach_the_system(system: FakeSystem, source: Path, tmp_path: Path) -> None:
    arguments = ["analyse", str(source), "--out", str(tmp_path / "o"), "--device", "cpu",
                 "--streams", "separate", "--series", "3", "--identity"]  # fmt: skip
    assert run(arguments) == 0
    assert system.context is not None
    assert (system.context.device, system.context.streams) == ("cpu", "separate")
    assert system.context.read_seconds > 0
    report = json.loads((tmp_path / "o" / "findings.json").read_text("utf-8"))
    assert report["study"]["identity"]["patient_id"] == "1234567"


def test_a_refused_segmentation_is_said_and_is_no_failure(
    system: FakeSystem,
    volume: Volume,
    source: Path,
    rewrite: Callable[[Volume, Callable[[int, pydicom.Dataset], None]], None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rewrite(volume, lambda index, ds: ds.pop("FrameOfReferenceUID"))
    assert run(["analyse", str(source), "--out", str(tmp_path / "o")]) == 0
    said = capsys.readouterr().out
    assert "Not written: seg.dcm." in said
    assert "NIfTI" in said
    assert not (tmp_path / "o" / "seg.dcm").exists()
    assert (tmp_path / "o" / "labels.nii.gz").exists()


def test_earlier_results_do_not_survive(
    analysed: Path, system: FakeSystem, xray: Findings, source: Path
) -> None:
    (analysed / "mine.txt").write_text("mine")
    system.findings = xray
    assert run(["analyse", str(source), "--out", str(analysed)]) == 0
    assert {p.name for p in analysed.iterdir()} == {
        "findings.json", "slices", "archive", "complete.json", "mine.txt",
    }  # fmt: skip
    assert [p.name for p in (analysed / "slices").iterdir()] == ["slice_004.png"]


def test_a_failed_analysis_leaves_earlier_results_alone_and_writes_none(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    class Failing:
        def analyse(self, volume: Volume, context: Context) -> Findings:
            raise AnalysisError("The weights are missing; run make setup.")

    monkeypatch.setattr(inference.systems, "get_system", lambda name: Failing())
    assert run(["analyse", str(source), "--out", str(tmp_path / "o")]) == 1
    assert capsys.readouterr().err.strip() == "The weights are missing; run make setup."
    assert not (tmp_path / "o").exists()


def test_a_picture_must_say_what_it_is(
    system: FakeSystem, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "slice.png"
    cv2.imwrite(str(picture), np.random.default_rng(1).integers(0, 255, (64, 64), np.uint8))
    assert run(["analyse", str(picture), "--out", str(tmp_path / "o")]) == 2
    assert "--modality" in capsys.readouterr().err
    assert system.context is None


def test_an_unknown_system(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["analyse", str(source), "--out", str(tmp_path / "o"), "--system", "x"]) == 2
    assert "elbana" in capsys.readouterr().err


def test_an_out_that_cannot_be_made(
    system: FakeSystem, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert run(["analyse", str(source), "--out", str(tmp_path / "file" / "o")]) == 1
    assert "choose another with --out" in capsys.readouterr().err


def test_export_writes_each_kind_without_analysing(
    analysed: Path,
    source: Path,
    tmp_path: Path,
    findings: Findings,
    volume: Volume,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each is read back with a reader of its own, and compared with the masks."""
    monkeypatch.setattr(inference.systems, "get_system", lambda n: pytest.fail("analysed again"))
    names = ("seg.dcm", "labels.nii.gz", "labels.nii", "view.png", "lesions.csv", "f.json")
    for name in names:
        to = str(tmp_path / name)
        assert run(["export", str(source), "--findings", str(analysed), "--to", to]) == 0
    seg = hd.seg.segread(tmp_path / "seg.dcm")
    assert [s.SegmentLabel for s in seg.SegmentSequence] == [k.label for k in Manifestation]
    uids = [each.sop_instance_uid for each in volume.slices]
    for number, segment in enumerate(findings.segments, start=1):
        mask = seg.get_pixels_by_source_instance(
            uids, segment_numbers=[number], assert_missing_frames_are_empty=True
        )
        np.testing.assert_array_equal(mask[..., 0] > 0, segment.mask)
        for name in ("labels.nii.gz", "labels.nii"):
            read = SimpleITK.ReadImage(str(tmp_path / name))
            np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(read) == number, segment.mask)
    view = cv2.imread(str(tmp_path / "view.png"))
    _, row_mm, column_mm = volume.spacing
    _, row_count, column_count = volume.shape
    shape = row_count * row_mm / (column_count * column_mm)
    assert view.shape[0] > view.shape[1] * shape, "square pixels, and a banner below"
    rows = list(csv.DictReader((tmp_path / "lesions.csv").read_text("utf-8").splitlines()))
    assert len(rows) == sum(segment.lesions for segment in findings.segments) == 2
    told = {s["key"]: s for s in json.loads((tmp_path / "f.json").read_text("utf-8"))["segments"]}
    for segment in findings.segments:
        ml = segment.mask.sum() * np.prod(volume.spacing) / 1000
        assert told[segment.key.value]["volume_ml"] == pytest.approx(ml, abs=1e-3)


def test_export_of_a_slice(analysed: Path, source: Path, tmp_path: Path) -> None:
    command = ["export", str(source), "--findings", str(analysed), "--to"]
    assert run([*command, str(tmp_path / "a.png")]) == 0
    assert run([*command, str(tmp_path / "b.png"), "--slice", "3"]) == 0
    assert run([*command, str(tmp_path / "c.png"), "--slice", "1"]) == 0
    assert run([*command, str(tmp_path / "d.png"), "--slice", "3", "--outline"]) == 0
    a, b, c, d = ((tmp_path / f"{n}.png").read_bytes() for n in "abcd")
    assert a == b, "slice 3 has most of all lesions"
    assert len({b, c, d}) == 3


def test_export_of_a_slice_that_is_not_there(
    analysed: Path, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["export", str(source), "--findings", str(analysed), "--to", str(tmp_path / "a.png")]
    assert run([*command, "--slice", "7"]) == 1
    assert "slices 1 to 6" in capsys.readouterr().err
    assert run([*command, "--slice", "0"]) == 2


def test_export_refuses_the_findings_of_other_pixels(
    analysed: Path,
    volume: Volume,
    source: Path,
    rewrite: Callable[[Volume, Callable[[int, pydicom.Dataset], None]], None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rewrite(volume, lambda index, ds: setattr(ds, "RescaleIntercept", 1))
    to = tmp_path / "labels.nii.gz"
    assert run(["export", str(source), "--findings", str(analysed), "--to", str(to)]) == 2
    assert "other pixels" in capsys.readouterr().err
    assert not to.exists()


def test_export_needs_an_ending_and_findings(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["export", str(source), "--findings", str(tmp_path), "--to"]
    assert run([*command, str(tmp_path / "x.bmp")]) == 2
    assert ".nii.gz" in capsys.readouterr().err
    assert run([*command, str(tmp_path / "x.json")]) == 2
    assert "secondread analyse" in capsys.readouterr().err


def test_the_archive_holds_what_was_found(analysed: Path, source: Path, findings: Findings) -> None:
    volume = load(scan(source)[0].series[0])
    kept = archive.load(analysed / "archive", volume)
    for one, other in zip(kept.segments, findings.segments, strict=True):
        assert (one.key, one.model, one.lesions) == (other.key, other.model, other.lesions)
        np.testing.assert_array_equal(one.mask, other.mask)
    for one, other in zip(kept.estimates, findings.estimates, strict=True):
        assert (one.task, one.study) == (other.task, other.study)
        np.testing.assert_array_equal(one.per_slice, other.per_slice)
