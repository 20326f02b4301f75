"""The list of lesions in findings.json and as CSV."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from inference.cli import run
from inference.errors import ExportRefusedError
from inference.export import archive
from inference.export.lesion_table import COLUMNS, write_csv
from inference.export.report import build_report, validate
from inference.findings import Findings
from inference.lesion_data import PERIPHERAL_MM, PERIPHERAL_SHARE
from inference.lesions import find_lesions
from inference.studies.model import Series, Study, Volume
from tests import factories


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_json_lists_every_lesion(
    findings: Findings, study: Study, series: Series, volume: Volume
) -> None:
    report = build_report(findings, study, series, volume)
    validate(report)
    listed = report["lesions"]["list"]
    assert [one["number"] for one in listed] == [1, 2]
    for segment in report["segments"]:
        assert sum(one["key"] == segment["key"] for one in listed) == segment["lesions"]
    first = listed[0]
    assert first["key"] == "ggo"
    assert first["volume_ml"] == pytest.approx(report["segments"][0]["volume_ml"])
    assert first["voxel"]["slice"] == 2
    place = first["voxel"]
    assert first["position_mm"] == pytest.approx(
        volume.position(place["column"], place["row"], place["slice"]).tolist(), abs=1e-5
    )
    patterns = report["lesions"]["patterns"]
    histogram = patterns["hu_histogram"]
    assert len(histogram["edges_hu"]) == len(histogram["shares"]) + 1
    assert sum(histogram["shares"]) == pytest.approx(1.0, abs=1e-4)
    assert patterns["periphery"]["depths_mm"][-1] == 35


def without_lungs(findings: Findings, volume: Volume) -> Findings:
    """The same masks where no lungs were found."""
    codes = factories.to_codes({each.key: each.mask for each in findings.segments})
    return factories.make_findings(volume, codes, lungs=None)


def test_without_masks_the_list_is_null_and_without_lungs_its_places_are(
    findings: Findings, xray: Findings, study: Study, series: Series, volume: Volume
) -> None:
    assert build_report(xray, study, series, volume)["lesions"] is None
    report = build_report(without_lungs(findings, volume), study, series, volume)
    validate(report)
    first = report["lesions"]["list"][0]
    assert [first[name] for name in ("side", "zone", "place", "peripheral_share")] == [None] * 4
    assert report["lesions"]["patterns"]["periphery"] is None
    assert report["lesions"]["patterns"]["percent_of_lung"] is None


def test_the_csv_is_a_table_of_the_same(findings: Findings, volume: Volume, tmp_path: Path) -> None:
    path = tmp_path / "lesions.csv"
    assert write_csv(findings, volume, path) == ""
    rows = read(path)
    assert tuple(rows[0]) == COLUMNS
    found = find_lesions(findings, volume)
    assert found is not None
    assert len(rows) == len(found.lesions) == 2
    for row, lesion in zip(rows, found.lesions, strict=True):
        assert row["manifestation"] == lesion.key.value
        assert float(row["volume_ml"]) == pytest.approx(lesion.volume_ml, abs=1e-6)
        assert int(row["slice_number"]) == int(row["slice_index"]) + 1 == lesion.voxel[2] + 1
        assert lesion.position_mm is not None
        assert float(row["z_mm"]) == pytest.approx(lesion.position_mm[2], abs=1e-6)


def test_what_is_not_computed_is_empty_and_what_is_left_out_is_said(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    ggo = findings.segments[0]
    codes = ggo.mask.astype(np.uint8)
    codes[5, 30:32, 40:42] = 1
    speck = factories.make_findings(volume, codes, lungs=None)
    path = tmp_path / "lesions.csv"
    said = write_csv(speck, volume, path)
    assert said.startswith("Not listed: 1 component of fewer than 30 voxels")
    (row,) = read(path)
    assert (row["side"], row["zone"], row["place"], row["peripheral_share"]) == ("",) * 4
    assert row["voxels"] == str(np.count_nonzero(ggo.mask))


def test_csv_is_refused_without_masks_and_for_another_series(
    findings: Findings, xray: Findings, volume: Volume, tmp_path: Path
) -> None:
    path = tmp_path / "lesions.csv"
    with pytest.raises(ExportRefusedError, match="only computed on axial CT"):
        write_csv(xray, volume, path)
    with pytest.raises(ExportRefusedError, match="another series"):
        write_csv(findings, replace(volume, series_uid="9.9"), path)
    with pytest.raises(ExportRefusedError, match="could not be written"):
        write_csv(findings, volume, tmp_path / "no" / "lesions.csv")
    assert not path.exists()


def test_findings_that_were_kept_give_the_same_list(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    archive.save(findings, volume, tmp_path / "kept")
    before = find_lesions(findings, volume)
    after = find_lesions(archive.load(tmp_path / "kept", volume), volume)
    assert before is not None
    assert after is not None
    assert (before.lesions, before.patterns) == (after.lesions, after.patterns)


def test_export_writes_the_table_again(findings: Findings, volume: Volume, tmp_path: Path) -> None:
    archive.save(findings, volume, tmp_path / "kept")
    target = tmp_path / "again.csv"
    source = str(volume.slices[0].path.parent)
    assert run(["export", source, "--findings", str(tmp_path / "kept"), "--to", str(target)]) == 0
    assert len(read(target)) == 2


def test_the_schema_names_the_numbers_of_the_code() -> None:
    text = (files("resources") / "schema" / "findings.schema.json").read_text("utf-8")
    properties = json.loads(text)["properties"]["lesions"]["properties"]["list"]["items"]
    said = properties["properties"]["place"]["description"]
    assert f"within {PERIPHERAL_MM:g} mm" in said
    assert ("at least half" in said) == (PERIPHERAL_SHARE == 0.5)
