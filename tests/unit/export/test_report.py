"""findings.json: valid, complete, null for what was not computed, and silent about the patient."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from inference.cuts import Cut
from inference.errors import ExportRefusedError
from inference.export.report import build_report, validate, write_json
from inference.findings import SCHEMA_VERSION, Findings, Part
from inference.studies.model import Problem, Series, Study, Volume
from tests import factories


def test_the_schema_is_a_schema_of_this_version() -> None:
    schema = json.loads((files("resources") / "schema" / "findings.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    assert schema["properties"]["schema_version"]["const"] == SCHEMA_VERSION
    assert schema["additionalProperties"] is False


def test_what_was_found_is_written(
    findings: Findings, study: Study, series: Series, volume: Volume, tmp_path: Path
) -> None:
    path = tmp_path / "findings.json"
    write_json(findings, study, series, volume, path)
    report = json.loads(path.read_text("utf-8"))
    assert report["banner"] == "Research use only. Not for diagnosis."
    assert report["recognition"][0]["classes"][0] == {
        "key": "covid-19", "name": "COVID-19", "probability": 0.8, "calibrated": 0.8,
        "low": 0.562724, "high": 0.87418, "reading": "probable",
    }  # fmt: skip
    assert report["recognition"][0]["answer"] == "COVID-19 is probable (0.80; 0.56 to 0.87)."
    assert report["recognition"][0]["operating_point"] == 0.5
    assert [c["probability"] for c in report["manifestations"]["classes"]] == [0.9, 0.6, 0.1]
    ggo, _, effusion = report["segments"]
    assert ggo["key"] == "ggo"
    assert ggo["volume_ml"] == pytest.approx(3 * 8 * 9 * volume.voxel_ml, abs=1e-5)
    assert ggo["largest_slice"] == 1
    assert effusion["volume_ml"] == 0
    assert effusion["mean_hu"] is None
    assert effusion["largest_slice"] is None
    assert [s["masks"] for s in report["second_estimate"]] == ["present", "present", "none"]
    assert [s["disagrees"] for s in report["second_estimate"]] == [False, False, False]
    assert report["recognition_doubt"] is None
    assert report["timings_s"]["total"] == 1.6
    assert report["timings_s"]["ready"] == findings.timings.ready
    assert [m["name"] for m in report["models"]] == [
        "recognition-ct", "manifestations", "streams-student", "streams-lite", "evidence",
    ]  # fmt: skip
    assert report["notes"] == list(findings.notes)
    assert report["study"]["spacing_mm"] == {"slices": 5.0, "rows": 0.8, "columns": 0.7}


def test_how_masks_were_cut_is_written(
    findings: Findings, study: Study, series: Series, volume: Volume
) -> None:
    *others, effusion = findings.segments
    grown = replace(effusion, cut=Cut(0.5, 0.1))
    report = build_report(replace(findings, segments=(*others, grown)), study, series, volume)
    validate(report)
    assert [s["cut"] for s in report["segments"]] == [
        {"seed": 0.4, "edge": 0.4}, {"seed": 0.2, "edge": 0.2}, {"seed": 0.5, "edge": 0.1},
    ]  # fmt: skip


def test_what_each_of_several_models_says_is_written(
    findings: Findings, study: Study, series: Series, volume: Volume
) -> None:
    parts = (Part("recognition-ct", (0.7, 0.3)), Part("evidence", (0.4, 0.6)))
    covid = replace(findings.estimates[0], parts=parts)
    report = build_report(replace(findings, estimates=(covid,)), study, series, volume)
    validate(report)
    said = report["recognition"][0]
    assert said["model"] == "recognition-ct + evidence"
    assert [part["model"] for part in said["parts"]] == ["recognition-ct", "evidence"]
    assert said["parts"][1]["classes"][0] == {
        "key": "covid-19",
        "name": "COVID-19",
        "probability": 0.4,
    }


def test_each_slice_has_its_values_and_gaps_are_null(
    findings: Findings, study: Study, series: Series, volume: Volume
) -> None:
    slices = build_report(findings, study, series, volume)["slices"]
    assert len(slices) == volume.shape[0]
    assert [s["analysed"] for s in slices] == [False, True, True, True, True, False]
    assert slices[0]["probabilities"]["covid-2"] == {"covid-19": None, "not-covid-19": None}
    assert slices[1]["probabilities"]["covid-2"]["covid-19"] == pytest.approx(0.9, abs=1e-5)
    assert slices[2]["pixels"] == {"ggo": 72, "consolidation": 35, "effusion": 0}
    assert slices[2]["position_mm"] == [-11.0, -9.5, -90.0]


def test_covid_19_without_a_lesion_is_doubted(
    findings: Findings, study: Study, series: Series, volume: Volume
) -> None:
    empty = factories.make_findings(volume, np.zeros(volume.shape, np.uint8))
    report = build_report(empty, study, series, volume)
    validate(report)
    assert "the masks show no ground glass or consolidation" in report["recognition_doubt"]


def test_not_computed_is_null_and_never_zero(
    xray: Findings, study: Study, series: Series, volume: Volume
) -> None:
    only = replace(xray, estimates=xray.estimates[:1])
    flat = replace(volume, has_geometry=False, has_orientation=False, modality="CR")
    report = build_report(only, study, series, flat)
    validate(report)
    assert report["segments"] is None
    assert report["second_estimate"] is None
    assert report["recognition_doubt"] is None
    assert report["lungs"] is None
    assert report["manifestations"] is None
    assert report["study"]["spacing_mm"] is None
    assert report["slices"][0]["pixels"] is None
    assert report["slices"][0]["position_mm"] is None


def test_calibrated_values_and_their_interval_are_written(
    calibrated: Findings, study: Study, series: Series, volume: Volume
) -> None:
    report = build_report(calibrated, study, series, volume)
    validate(report)
    recognition = report["recognition"][0]
    covid, other = recognition["classes"]
    assert (covid["probability"], covid["calibrated"]) == (0.8, 0.7)
    assert (covid["low"], covid["high"]) == (0.55, 0.85)
    assert (other["calibrated"], other["low"], other["high"]) == (0.3, None, None)
    assert recognition["calibration"] == {
        "sentence": "Calibrated on 172 pictures.", "pictures": 172, "groups": 73,
        "interval_of": "slice",
    }  # fmt: skip
    assert report["manifestations"]["calibration"] == {
        "sentence": "Not calibrated: 6 validation groups are too few, 20 are needed.",
        "pictures": None, "groups": None, "interval_of": None,
    }  # fmt: skip
    first, second = report["slices"][:2]
    assert first["calibrated"] == {"covid-2": {"covid-19": None, "not-covid-19": None}}
    assert second["calibrated"]["covid-2"]["covid-19"] == pytest.approx(0.45)
    assert second["probabilities"]["covid-2"]["covid-19"] == pytest.approx(0.9)


def test_the_patient_is_not_in_it(
    findings: Findings, study: Study, series: Series, volume: Volume
) -> None:
    named = Problem("odd", "“doe_jane_01.dcm” is odd.", (Path("/x/doe_jane_01.dcm"),))
    text = json.dumps(build_report(findings, replace(study, problems=(named,)), series, volume))
    for secret in ("Doe", "doe_jane", "1234567", "20200317", volume.series_uid, volume.study_uid,
                   "Chest CT", "0.dcm", "Thorax"):  # fmt: skip
        assert secret not in text, secret
    assert "“(file)” is odd." in json.loads(text)["problems"][0]["sentence"]


def test_identity_is_there_when_asked_for(
    findings: Findings, study: Study, series: Series, volume: Volume
) -> None:
    report = build_report(findings, study, series, volume, include_identity=True)
    validate(report)
    assert report["study"]["identity"]["patient_id"] == "1234567"
    assert report["study"]["series_uid"] == volume.series_uid
    assert report["study"]["uids_hashed"] is False
    assert report["problems"][0]["files"] == ["000.dcm"]


def test_a_problem_told_twice_is_written_once(
    findings: Findings, study: Study, series: Series, volume: Volume
) -> None:
    same = replace(series, problems=volume.problems)
    assert len(build_report(findings, study, same, volume)["problems"]) == 1


def test_findings_that_break_the_schema_are_not_written(
    findings: Findings, study: Study, series: Series, volume: Volume, tmp_path: Path
) -> None:
    covid = replace(findings.estimates[0])
    object.__setattr__(covid, "study", (1.5, -0.5))  # the class itself refuses it
    wrong = replace(findings, estimates=(covid,))
    with pytest.raises(ExportRefusedError, match="recognition/0/classes/0/probability"):
        write_json(wrong, study, series, volume, tmp_path / "findings.json")
    assert not list(tmp_path.glob("*.json"))


def test_the_doubt_about_the_pictures_is_told(
    findings: Findings, study: Study, series: Series, volume: Volume
) -> None:
    report = build_report(findings, study, series, volume)
    validate(report)
    assert report["domain"] == {
        "within": False,
        "score": 0.333333,
        "reasons": ["This does not look like a chest CT slice."],
        "method": "measurements of the lungs",
    }
    unjudged = build_report(replace(findings, domain=None), study, series, volume)
    validate(unjudged)
    assert unjudged["domain"] is None


def test_findings_of_another_series_are_refused(
    findings: Findings, study: Study, series: Series, volume: Volume
) -> None:
    other = replace(volume, array=np.zeros((1, 2, 2), np.int16), slices=volume.slices[:1])
    with pytest.raises(ExportRefusedError, match="another series"):
        build_report(findings, study, series, other)


def test_the_document_describes_every_field() -> None:
    schema = json.loads((files("resources") / "schema" / "findings.schema.json").read_text("utf-8"))
    page = (Path(__file__).parents[3] / "docs" / "findings-json.md").read_text("utf-8")
    for field in schema["properties"]:
        assert f"`{field}`" in page, field
