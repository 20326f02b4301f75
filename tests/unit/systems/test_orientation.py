"""The networks see a patient the same way round, however the file stores him."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from inference.errors import AnalysisError, OutsideDomainError
from inference.findings import Findings
from inference.models import ModelStore
from inference.partial import Partial
from inference.studies.model import Unit, Volume
from inference.systems.base import Context
from inference.systems.elbana import ElBana
from tests import factories, phantoms

AFFINE = np.array([[3.0, 0, 0, -190], [0, 3.0, 0, -190], [0, 0, 10.0, -90], [0, 0, 0, 1.0]])
Turn = Callable[[Any], Any]


def _flip_rows(array: np.ndarray) -> np.ndarray:
    return array[:, ::-1]


def _flip_columns(array: np.ndarray) -> np.ndarray:
    return array[:, :, ::-1]


def _columns_first(array: np.ndarray) -> np.ndarray:
    return array.transpose(0, 2, 1)


@dataclass(frozen=True)
class Way:
    """How slices are stored: turned there and back by one function, and the affine of it."""

    turn: Turn
    affine: np.ndarray


def _ways(rows: int, columns: int) -> dict[str, Way]:
    up, left = AFFINE.copy(), AFFINE.copy()
    up[:, 1] *= -1
    up[1, 3] += 3.0 * (rows - 1)
    left[:, 0] *= -1
    left[0, 3] += 3.0 * (columns - 1)
    return {
        "rows to the front": Way(_flip_rows, up),
        "columns to the right": Way(_flip_columns, left),
        "columns first": Way(_columns_first, AFFINE[:, [1, 0, 2, 3]]),
    }


WAYS = _ways(100, 128)


@pytest.fixture
def system(store: ModelStore) -> ElBana:
    return ElBana(store, precision="float32")


@pytest.fixture
def trunk() -> Volume:
    """Not square, so that rows cannot pass for columns."""
    return factories.make_volume(phantoms.trunk(10)[:, :100].copy(), AFFINE)


def _stored(volume: Volume, way: Way) -> Volume:
    return factories.make_volume(np.ascontiguousarray(way.turn(volume.array)), way.affine)


def _analyse(system: ElBana, volume: Volume) -> tuple[Findings, list[Partial]]:
    told: list[Partial] = []
    context = Context(device="cpu", batch_size=4, partial=told.append)
    return system.analyse(volume, context), told


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("on_device", [False, True])
def test_findings_are_the_same_at_the_same_place(
    store: ModelStore, trunk: Volume, way: Way, on_device: bool
) -> None:
    system = ElBana(store, precision="float32", on_device=on_device)
    expected, expected_parts = _analyse(system, trunk)
    stored = _stored(trunk, way)
    findings, parts = _analyse(system, stored)
    assert findings.shape == stored.shape
    np.testing.assert_array_equal(findings.affine, stored.affine)
    np.testing.assert_array_equal(way.turn(findings.lungs), expected.lungs)
    assert sum(s.mask.sum() for s in expected.segments) > 0
    for mine, other in zip(findings.segments, expected.segments, strict=True):
        np.testing.assert_array_equal(way.turn(mine.mask), other.mask)
        assert mine.largest_slice == other.largest_slice
        assert mine.volume_ml == pytest.approx(other.volume_ml)
    for mine, other in zip(findings.estimates, expected.estimates, strict=True):
        np.testing.assert_array_equal(mine.per_slice, other.per_slice)
        assert mine.study == other.study
    assert findings.notes == expected.notes
    assert findings.domain == expected.domain
    for mine, other in zip(parts, expected_parts, strict=True):
        assert mine.shape == stored.shape
        np.testing.assert_array_equal(mine.indices, other.indices)
        np.testing.assert_array_equal(way.turn(mine.codes), other.codes)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_heat_lies_where_the_network_saw_it(system: ElBana, trunk: Volume, way: Way) -> None:
    context = Context(device="cpu")
    keys = ("covid-19", "not-covid-19")
    expected = [system.explain(trunk, 5, "covid-2", key, context) for key in keys]
    assert any(not heat.empty for heat in expected)
    stored = _stored(trunk, way)
    for key, other in zip(keys, expected, strict=True):
        heat = system.explain(stored, 5, "covid-2", key, context)
        np.testing.assert_array_equal(way.turn(heat.values[np.newaxis])[0], other.values)
        assert heat.lungs == other.lungs


PLANES = {"coronal": ((1, 0, 2), [0, 2, 1, 3]), "sagittal": ((2, 0, 1), [1, 2, 0, 3])}


def _reformatted(volume: Volume, plane: str) -> Volume:
    axes, columns = PLANES[plane]
    return factories.make_volume(
        np.ascontiguousarray(volume.array.transpose(axes)), volume.affine[:, columns]
    )


@pytest.mark.parametrize("plane", PLANES)
def test_of_other_slices_the_lungs_alone_are_measured(
    system: ElBana, trunk: Volume, plane: str
) -> None:
    expected, _ = _analyse(system, trunk)
    volume = _reformatted(trunk, plane)
    findings, parts = _analyse(system, volume)
    assert findings.lung_ml == pytest.approx(expected.lung_ml)
    np.testing.assert_array_equal(findings.lungs, expected.lungs.transpose(PLANES[plane][0]))
    assert (findings.estimates, findings.segments, parts) == ((), (), [])
    assert not findings.analysed.any()
    assert findings.domain is not None
    assert not findings.domain.within
    (doubt,) = findings.domain.reasons
    assert f"{plane} slices" in doubt
    assert "axial slices only" in doubt
    assert doubt in findings.notes
    with pytest.raises(AnalysisError, match="axial slices only"):
        system.explain(volume, 5, "covid-2", "covid-19", Context(device="cpu"))
    system.get_ready(volume, Context(device="cpu"))


def test_coronal_slices_without_lungs_are_refused(system: ElBana, trunk: Volume) -> None:
    coronal = _reformatted(trunk, "coronal")
    solid = factories.make_volume(np.maximum(coronal.array, -300), coronal.affine)
    grey = factories.make_volume(coronal.array, coronal.affine, unit=Unit.GREY)
    for volume in (solid, grey):
        with pytest.raises(OutsideDomainError, match=r"coronal slices.*axial slices only.*Open an"):
            system.analyse(volume, Context(device="cpu"))


def test_a_lung_that_the_field_of_view_cuts_is_said_to_be(system: ElBana, trunk: Volume) -> None:
    cut = factories.make_volume(np.ascontiguousarray(trunk.array[:, :, 30:]), AFFINE)
    for volume in (cut, _reformatted(cut, "coronal")):
        notes = _analyse(system, volume)[0].notes
        assert any("The field of view cuts the lung" in note for note in notes)
    whole, _ = _analyse(system, trunk)
    assert not any("cuts the lung" in note for note in whole.notes)
