"""Kept findings come back unchanged, and only for the volume that they were made from."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from inference.cuts import HALF, Cut
from inference.errors import BadInputError, ExportRefusedError
from inference.export.archive import load, save
from inference.findings import Findings, Part
from inference.studies.model import Volume


def _same(a: object, b: object) -> None:
    """Equal in every field, type and bit, NaN included."""
    assert type(a) is type(b)
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    elif isinstance(a, tuple) and isinstance(b, tuple):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            _same(one, other)
    elif is_dataclass(a):
        for field in fields(a):
            _same(getattr(a, field.name), getattr(b, field.name))
    else:
        assert repr(a) == repr(b), "repr tells floats apart to the last bit, and NaN is NaN"


def test_nothing_is_lost(findings: Findings, volume: Volume, tmp_path: Path) -> None:
    save(findings, volume, tmp_path / "kept")
    _same(load(tmp_path / "kept", volume), findings)


def test_calibrated_values_are_kept(calibrated: Findings, volume: Volume, tmp_path: Path) -> None:
    save(calibrated, volume, tmp_path)
    _same(load(tmp_path, volume), calibrated)


def test_what_each_of_several_models_says_is_kept(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    parts = (Part("recognition-ct", (0.7, 0.3)), Part("evidence", (0.1 + 0.2, 0.7)))
    covid = replace(findings.estimates[0], parts=parts)
    given = replace(findings, estimates=(covid, *findings.estimates[1:]))
    save(given, volume, tmp_path)
    _same(load(tmp_path, volume), given)
    text = json.loads((tmp_path / "archive.json").read_text())
    for stored in text["estimates"]:
        del stored["parts"]
        stored["model"] = stored["model"].split(" + ")[0]
    (tmp_path / "archive.json").write_text(json.dumps(text))
    assert load(tmp_path, volume).estimates[0].parts == (), "older archives know of one model"


def test_how_masks_were_cut_is_kept(findings: Findings, volume: Volume, tmp_path: Path) -> None:
    *others, effusion = findings.segments
    given = replace(findings, segments=(*others, replace(effusion, cut=Cut(0.5, 0.1))))
    save(given, volume, tmp_path)
    _same(load(tmp_path, volume), given)
    text = json.loads((tmp_path / "archive.json").read_text())
    for stored in text["segments"]:
        del stored["cut"]
    (tmp_path / "archive.json").write_text(json.dumps(text))
    found = [segment.cut for segment in load(tmp_path, volume).segments]
    assert found == [HALF] * 3, "older archives were cut at one half"


def test_what_was_not_computed_stays_so(xray: Findings, volume: Volume, tmp_path: Path) -> None:
    unknown = replace(xray.estimates[0], calibrated=None)
    given = replace(xray, estimates=(unknown,), domain=None)
    save(given, volume, tmp_path)
    _same(load(tmp_path, volume), given)


def test_an_older_archive_was_not_judged(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    save(findings, volume, tmp_path)
    text = json.loads((tmp_path / "archive.json").read_text())
    del text["domain"]
    (tmp_path / "archive.json").write_text(json.dumps(text))
    assert load(tmp_path, volume).domain is None


def test_saving_again_replaces(findings: Findings, volume: Volume, tmp_path: Path) -> None:
    save(findings, volume, tmp_path)
    later = replace(findings, notes=("again",))
    save(later, volume, tmp_path)
    assert load(tmp_path, volume).notes == ("again",)


def test_stale_findings_are_refused(findings: Findings, volume: Volume, tmp_path: Path) -> None:
    save(findings, volume, tmp_path)
    changed = volume.array.copy()
    changed[0, 0, 0] += 1
    moved = volume.affine.copy()
    moved[0, 3] += 1
    for other in (
        replace(volume, series_uid="1.2.3"),
        replace(volume, array=volume.array[:-1], slices=volume.slices[:-1]),
        replace(volume, array=changed),
        replace(volume, affine=moved),
    ):
        with pytest.raises(BadInputError, match="another series or from other pixels"):
            load(tmp_path, other)


def test_a_picture_read_as_something_else(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    save(findings, volume, tmp_path)
    with pytest.raises(BadInputError, match="read as CT"):
        load(tmp_path, replace(volume, modality="DX"))


def test_findings_of_another_series_are_not_kept(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    with pytest.raises(ExportRefusedError, match="another series"):
        save(findings, replace(volume, series_uid="1.2.3"), tmp_path)


def test_nothing_there(volume: Volume, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no findings"):
        load(tmp_path, volume)


@pytest.mark.parametrize("name", ["archive.json", "archive-*.npz"])
def test_damage_is_one_sentence(
    findings: Findings, volume: Volume, tmp_path: Path, name: str
) -> None:
    save(findings, volume, tmp_path)
    (path,) = tmp_path.glob(name)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BadInputError, match="damaged"):
        load(tmp_path, volume)


@pytest.mark.parametrize("key", ["source", "segments", "timings", "models"])
def test_missing_parts_are_damage(
    findings: Findings, volume: Volume, tmp_path: Path, key: str
) -> None:
    save(findings, volume, tmp_path)
    text = json.loads((tmp_path / "archive.json").read_text("utf-8"))
    text[key] = [{}]
    (tmp_path / "archive.json").write_text(json.dumps(text))
    with pytest.raises(BadInputError, match="damaged"):
        load(tmp_path, volume)


def test_another_format_is_named(findings: Findings, volume: Volume, tmp_path: Path) -> None:
    save(findings, volume, tmp_path)
    text = json.loads((tmp_path / "archive.json").read_text("utf-8"))
    (tmp_path / "archive.json").write_text(json.dumps(text | {"format": 99}))
    with pytest.raises(BadInputError, match="another version"):
        load(tmp_path, volume)


def test_pickles_are_not_opened(findings: Findings, volume: Volume, tmp_path: Path) -> None:
    save(findings, volume, tmp_path)
    np.savez(tmp_path / "archive.npz", affine=np.array([{"a": 1}], dtype=object))
    text = json.loads((tmp_path / "archive.json").read_text("utf-8"))
    text["arrays"] = {"file": "archive.npz", "sha256": None}
    (tmp_path / "archive.json").write_text(json.dumps(text))
    with pytest.raises(BadInputError, match="damaged"):
        load(tmp_path, volume)


def test_the_archive_names_no_uid(findings: Findings, volume: Volume, tmp_path: Path) -> None:
    save(findings, volume, tmp_path)
    assert volume.series_uid not in (tmp_path / "archive.json").read_text("utf-8")


def test_unwritable_place_is_one_sentence(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportRefusedError, match="could not be kept"):
        save(findings, volume, tmp_path / "file" / "folder")
