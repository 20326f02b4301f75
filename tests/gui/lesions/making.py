"""Lesions for the tests of what shows them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from inference.findings import Findings, Manifestation
from inference.lesion_data import Lesion, Lesions, Side, Zone
from inference.lesions import find_lesions
from viewer.panels.lesion_columns import COLUMNS, Row
from viewer.panels.lesion_table import LesionTable

GGO, CONSOLIDATION, EFFUSION = Manifestation
WIDE = (340, 420)
"""As the right side of the window."""
TITLES = [column.title for column in COLUMNS]


def column(table: LesionTable, title: str) -> list[str]:
    model, place = table.model(), TITLES.index(title)
    return [model.index(row, place).data() for row in range(model.rowCount())]


def show_in(table: LesionTable, lesions: tuple[Lesion, ...]) -> None:
    table.show_rows(tuple(Row(each) for each in lesions))


def lesion(number: int, **settings: Any) -> Lesion:
    """A lesion; numbers of which text and number sort differently."""
    given: dict[str, Any] = {
        "key": GGO, "voxels": 50, "volume_ml": 1.0, "mean_hu": -600.0, "sd_hu": 10.0,
        "diameter_mm": 9.0, "voxel": (3, 4, number), "position_mm": (1.0, 2.0, 3.0),
        "side": Side.RIGHT, "zone": Zone.LOWER, "peripheral_share": 1.0,
    }  # fmt: skip
    return Lesion(number=number, **{**given, **settings})


def listed(opened: SimpleNamespace, findings: Findings) -> Lesions:
    """Show findings and their lesions, as the lister does."""
    opened.session.set_findings(findings)
    found = find_lesions(findings, opened.volume)
    assert found is not None
    opened.session.lesions.set_listed(findings, found)
    return found
