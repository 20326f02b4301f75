"""Kept between runs: whole, atomically, and never on the wrong grid."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from inference.errors import ExportRefusedError
from inference.measurements import Kind, Measurement
from inference.measurements.store import Kept, load, save


@pytest.fixture
def drawn(phantom):
    """One of each kind."""
    volume = phantom()
    made = [
        Measurement.on(
            volume,
            kind,
            [(10.25 + 3 * n, 5.0 + n * n, 2.0) for n in range(kind.points)],
            number=number,
            text="Größe?" if kind is Kind.TEXT else "",
        )
        for number, kind in enumerate(Kind, start=1)
    ]
    return tuple(
        replace(each, label=(1.0, 2.0, 2.0)) if each.number == 3 else each for each in made
    )


def test_what_is_kept_comes_back_exactly(phantom, drawn, tmp_path):
    save(drawn, phantom(), tmp_path / "new" / "folder")
    assert load(phantom(), tmp_path / "new" / "folder") == Kept(drawn)


def test_nothing_kept_is_no_measurement_and_no_sentence(phantom, tmp_path):
    assert load(phantom(), tmp_path / "none") == Kept()


def test_neither_the_name_nor_the_folder_tells_the_series(phantom, drawn, tmp_path):
    save(drawn, phantom(series_uid="1.2.840.99"), tmp_path)
    (file,) = tmp_path.iterdir()
    assert "1.2.840.99" not in file.name
    assert "1.2.840.99" not in file.read_text("utf-8")


def test_deleting_all_is_kept_too(phantom, drawn, tmp_path):
    save(drawn, phantom(), tmp_path)
    save((), phantom(), tmp_path)
    assert load(phantom(), tmp_path) == Kept()


def test_a_crash_while_writing_leaves_what_was_there(phantom, drawn, tmp_path, monkeypatch):
    save(drawn, phantom(), tmp_path)

    def fail(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(ExportRefusedError, match="No space left"):
        save(drawn[:1], phantom(), tmp_path)
    assert load(phantom(), tmp_path) == Kept(drawn)
    assert len(list(tmp_path.iterdir())) == 1


def damage(path: Path, how: str) -> None:
    text = path.read_text("utf-8")
    document = json.loads(text)
    if how == "cut":
        path.write_text(text[: len(text) // 2], "utf-8")
        return
    if how == "bytes":
        path.write_bytes(b"\xff\xfe\x00")
        return
    if how == "nested":
        path.write_text("[" * 100_000, "utf-8")
        return
    entry = document["measurements"][0]
    if how == "points":
        entry["points"] = entry["points"][:1]
    elif how == "kind":
        entry["kind"] = "volume"
    elif how == "more":
        entry["patient"] = "Doe"
    elif how == "twice":
        document["measurements"].append(entry)
    elif how == "infinite":
        path.write_text(text.replace("10.25", "1e999"), "utf-8")
        return
    elif how == "other":
        document["grid"] = "0" * 32 + "-" + "0" * 12
    elif how == "version":
        document["version"] = 7
    path.write_text(json.dumps(document), "utf-8")


@pytest.mark.parametrize(
    "how",
    ["cut", "bytes", "nested", "points", "kind", "more", "twice", "infinite", "other", "version"],
)
def test_a_damaged_file_is_set_aside_with_a_sentence(phantom, drawn, tmp_path, how):
    save(drawn, phantom(), tmp_path)
    (file,) = tmp_path.iterdir()
    damage(file, how)
    content = file.read_bytes()
    kept = load(phantom(), tmp_path)
    assert kept.measurements == ()
    (note,) = kept.notes
    assert ("newer SecondRead" if how == "version" else "are damaged") in note
    (aside,) = tmp_path.iterdir()
    assert aside.read_bytes() == content
    assert str(aside) in note
    save(drawn, phantom(), tmp_path)
    assert load(phantom(), tmp_path) == Kept(drawn)


def test_measurements_of_other_slices_of_the_series_come_along_or_stay(phantom, tmp_path):
    volume = phantom()
    high = Measurement.on(volume, Kind.LENGTH, [(0, 0, 3), (40, 10, 3)], number=1)
    low = Measurement.on(volume, Kind.LENGTH, [(0, 0, 0), (40, 10, 0)], number=2)
    save((high, low), volume, tmp_path)
    affine = volume.affine.copy()
    affine[2, 3] = 4.0
    fewer = phantom(array=volume.array[2:], slices=volume.slices[2:], affine=affine)
    kept = load(fewer, tmp_path)
    assert [(each.id, each.plane) for each in kept.measurements] == [(high.id, 1)]
    assert "position in mm: 1." in kept.notes[0]
    assert "not there: 1." in kept.notes[0]
    save((), fewer, tmp_path)
    assert load(fewer, tmp_path) == Kept()
    assert load(volume, tmp_path) == Kept((high, low))
    assert load(phantom(series_uid="1.9"), tmp_path) == Kept()


def test_a_folder_that_cannot_be_made_is_one_sentence(phantom, drawn, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportRefusedError, match="could not be kept"):
        save(drawn, phantom(), tmp_path / "file")
    kept = load(phantom(), tmp_path / "file")
    assert kept.measurements == ()
