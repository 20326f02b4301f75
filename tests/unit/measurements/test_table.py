"""The table as a file."""

from __future__ import annotations

import csv
import json

import pytest

from inference.errors import ExportRefusedError
from inference.measurements import Kind, Measurement
from inference.measurements.table import COLUMNS, write


@pytest.fixture
def drawn(phantom):
    volume = phantom()
    box = Measurement.on(volume, Kind.RECTANGLE, [(9.5, 4.5, 2), (29.5, 14.5, 2)], number=2)
    line = Measurement.on(volume, Kind.LENGTH, [(0, 0, 2), (40, 0, 2)], text="Ø, left", number=1)
    return box, line


def test_csv_has_a_row_a_measurement_and_nothing_where_there_is_no_number(phantom, drawn, tmp_path):
    path = tmp_path / "m.csv"
    write(drawn, phantom(), path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    assert tuple(table[0]) == COLUMNS
    line, box = table
    assert (line["number"], line["kind"], line["plane"], line["index"]) == (
        "1", "length", "slice", "3",
    )  # fmt: skip
    assert (line["instance_number"], line["sop_instance_uid"][:7]) == ("92", "sha256:")
    assert (line["length"], line["length_unit"], line["text"]) == ("20.0", "mm", "Ø, left")
    assert (line["area"], line["mean"], line["angle_deg"]) == ("", "", "")
    assert (box["area"], box["area_unit"], box["pixels"]) == ("80.0", "mm2", "200")
    assert (box["mean"], box["sd"], box["value_unit"]) == ("40.0", "0.0", "HU")


def test_json_has_the_points_and_hashes_for_uids(phantom, drawn, tmp_path):
    path = tmp_path / "m.JSON"
    write(drawn, phantom(), path)
    text = path.read_text("utf-8")
    assert "1.2.3" not in text
    document = json.loads(text)
    line, box = document["measurements"]
    assert line["points_voxel"] == [[0, 0, 2], [40, 0, 2]]
    assert line["points_lps_mm"] == [[0, 0, 4], [20, 0, 4]]
    assert line["sop_instance_uid"].startswith("sha256:")
    assert line["mean"] is None
    assert box["mean"] == 40.0
    assert "pixel centres at whole numbers" in document["conventions"]


def test_nothing_to_export_and_other_endings_are_refused(phantom, drawn, tmp_path):
    with pytest.raises(ExportRefusedError, match="make one first"):
        write((), phantom(), tmp_path / "m.csv")
    with pytest.raises(ExportRefusedError, match="neither"):
        write(drawn, phantom(), tmp_path / "m.xlsx")
