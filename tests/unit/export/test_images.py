"""Wherever a file names a slice, it names DICOM's image, too."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from inference.commands.summary import show
from inference.export import picture
from inference.export.lesion_table import write_csv
from inference.export.report import build_report, validate
from inference.findings import Findings
from inference.studies.model import Series, Study, Volume


def digest(uid: str) -> str:
    return "sha256:" + hashlib.sha256(uid.encode()).hexdigest()


@pytest.mark.parametrize("identity", [False, True])
def test_the_json_names_the_image_of_every_slice_and_lesion(
    findings: Findings, study: Study, series: Series, volume: Volume, identity: bool
) -> None:
    report = build_report(findings, study, series, volume, include_identity=identity)
    validate(report)
    uids = [source.sop_instance_uid for source in volume.slices]
    wanted = uids if identity else [digest(uid) for uid in uids]
    assert [one["instance_number"] for one in report["slices"]] == [1, 2, 3, 4, 5, 6]
    assert [one["sop_instance_uid"] for one in report["slices"]] == wanted
    lesion = report["lesions"]["list"][0]
    at = lesion["voxel"]["slice"]
    assert (lesion["instance_number"], lesion["sop_instance_uid"]) == (at + 1, wanted[at])


def test_without_dicom_there_is_no_image_to_name(
    findings: Findings, study: Study, series: Series, volume: Volume
) -> None:
    plain = tuple(replace(source, sop_instance_uid="", instance=None) for source in volume.slices)
    report = build_report(findings, study, series, replace(volume, slices=plain))
    validate(report)
    assert {one["instance_number"] for one in report["slices"]} == {None}
    assert {one["sop_instance_uid"] for one in report["slices"]} == {None}


@pytest.mark.parametrize("identity", [False, True])
def test_the_table_of_lesions_names_the_image(
    findings: Findings, volume: Volume, tmp_path: Path, identity: bool
) -> None:
    write_csv(findings, volume, tmp_path / "lesions.csv", include_identity=identity)
    with (tmp_path / "lesions.csv").open(encoding="utf-8", newline="") as file:
        first = next(csv.DictReader(file))
    uid = volume.slices[int(first["slice_index"])].sop_instance_uid
    assert first["instance_number"] == first["slice_number"]
    assert first["sop_instance_uid"] == (uid if identity else digest(uid))


def test_a_picture_and_the_terminal_name_the_image(
    findings: Findings, volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbered = replace(
        volume, slices=tuple(replace(source, instance=64) for source in volume.slices)
    )
    written: list[str] = []
    monkeypatch.setattr(picture, "_write", lambda _, text, *__, **___: written.append(text))
    picture.render(numbered, findings, 2)
    assert "Im 64 (3/6)" in written
    console = Console(record=True, width=200)
    show(console, findings, numbered)
    assert "Im 64 (3/6)" in console.export_text()
