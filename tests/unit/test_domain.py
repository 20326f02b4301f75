"""Chests pass, other things are flagged, and only what holds no picture is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from inference.cli import run
from inference.domain import examine, judge_lungs, judge_probabilities, refuse_nothing
from inference.engine import Engine
from inference.errors import OutsideDomainError
from inference.lungs import find_lungs
from inference.models import ModelStore
from inference.preprocess import to_picture
from inference.progress import Progress
from inference.studies.model import Unit, Volume
from tests import factories

MM = 3.0


def _ct(array: np.ndarray, between: float = 10.0, **changes: Any) -> Volume:
    values: dict[str, Any] = {
        "array": array, "affine": np.diag([MM, MM, between, 1.0]), "unit": Unit.HU,
        "modality": "CT", "has_geometry": True, "has_orientation": True, "series_uid": "1.2",
    }  # fmt: skip
    return factories.make_volume(**(values | changes))


def _oval(tall: float, wide: float, centre: tuple[int, int] = (64, 64)) -> np.ndarray:
    rows, columns = np.ogrid[:128, :128]
    return ((rows - centre[0]) / tall) ** 2 + ((columns - centre[1]) / wide) ** 2 < 1


def _chest(lung_hu: int = -850, slices: int = 12, lung: float = 1.0) -> np.ndarray:
    """A trunk with two lungs in all but the two slices at either end."""
    array = np.full((slices, 128, 128), -1000, dtype=np.int16)
    array[:, _oval(36, 52)] = 40
    for centre in (40, 88):
        array[2 if slices > 4 else 0 : -2 if slices > 4 else None,
              _oval(26 * lung, 15 * lung, (64, centre))] = lung_hu  # fmt: skip
    return array


def _head(slices: int = 12) -> np.ndarray:
    """Skull, brain and two small sinuses."""
    array = np.full((slices, 128, 128), -1000, dtype=np.int16)
    array[:, _oval(32, 25)] = 1000
    array[:, _oval(29, 22)] = 35
    for centre in (58, 70):
        array[:, _oval(4, 4, (45, centre))] = -950
    return array


def _grey(picture: np.ndarray, modality: str) -> Volume:
    return _ct(picture[np.newaxis], affine=np.eye(4), unit=Unit.GREY, modality=modality,
               has_geometry=False, has_orientation=False)  # fmt: skip


def test_a_chest_passes_whole_and_as_one_slice() -> None:
    for slices in (12, 1):
        volume = _ct(_chest(slices=slices))
        assert judge_lungs(volume, find_lungs(volume)).within, slices


def test_a_partly_consolidated_chest_passes() -> None:
    array = _chest()
    array[2:-2, 64:, :64][array[2:-2, 64:, :64] == -850] = 30
    volume = _ct(array)
    assert judge_lungs(volume, find_lungs(volume)).within


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (_head(), "No lungs were found"),
        (_head(1), "body's cross-section"),
        (np.where(_chest() == -850, np.int16(40), _chest()), "No lungs were found"),
        (_chest(lung=0.45), "body's cross-section"),
        (_chest(lung_hu=-990), "holds gas alone"),
        (np.where(np.arange(24)[:, None, None] < 6, _chest(slices=24),
                  np.where(_chest(slices=24) == -850, np.int16(40), _chest(slices=24))),
         "mm of the lungs are in the series"),
    ],
    ids=["head", "head slice", "no lungs", "little lung", "hollow", "bases of the lungs"],
)  # fmt: skip
def test_what_is_no_chest_ct_is_flagged_with_its_reason(array: np.ndarray, said: str) -> None:
    volume = _ct(array)
    domain = judge_lungs(volume, find_lungs(volume))
    assert not domain.within
    assert 0.0 <= domain.score < 1.0
    (reason,) = domain.reasons
    assert said in reason
    assert "distrust every result" in reason


def test_a_small_body_is_flagged() -> None:
    volume = _ct(_chest(), affine=np.diag([1.2, 1.2, 10.0, 1.0]))
    (reason,) = judge_lungs(volume, find_lungs(volume)).reasons
    assert "a head, a phantom, a small child" in reason


def test_noise_and_empty_pictures_are_refused() -> None:
    chooser = np.random.default_rng(1)
    noise = chooser.integers(-1000, 1000, (12, 128, 128)).astype(np.int16)
    with pytest.raises(OutsideDomainError, match="is noise"):
        refuse_nothing(_ct(noise))
    with pytest.raises(OutsideDomainError, match="is empty"):
        refuse_nothing(_ct(np.full((3, 64, 64), 7, dtype=np.int16)))
    refuse_nothing(_ct(_chest()))
    mixed = _chest()
    mixed[:6] = 0
    refuse_nothing(_ct(mixed))


def test_thresholds_decide_and_the_other_modality_is_named() -> None:
    (record,) = [r for r in ModelStore().records if r.kind == "domain"]
    record = dataclasses.replace(record, thresholds={"CXR": 0.6, "CT": 0.8})

    def judge(*values: float, is_ct: bool) -> tuple[bool, str]:
        domain = judge_probabilities(np.array(values), is_ct=is_ct, record=record)
        return domain.within, " ".join(domain.reasons)

    assert judge(0.7, 0.2, 0.1, is_ct=False) == (True, "")
    assert judge(0.2, 0.7, 0.1, is_ct=True)[0] is False
    assert "looks like a chest CT slice" in judge(0.1, 0.8, 0.1, is_ct=False)[1]
    assert "looks like a frontal chest X-ray" in judge(0.8, 0.1, 0.1, is_ct=True)[1]
    assert "does not look like a chest CT slice" in judge(0.1, 0.2, 0.7, is_ct=True)[1]


def test_without_a_detector_a_picture_is_not_judged(tmp_path: Path) -> None:
    picture = _grey(to_picture(_ct(_chest()), 6), "CT")
    engine = Engine(ModelStore(tmp_path), "cpu", precision="float32")
    assert examine(picture, None, engine, Progress(), []) == (None, ())


def test_the_command_line_refuses_noise_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "noise.png"
    cv2.imwrite(str(path), np.random.default_rng(2).integers(0, 256, (96, 96)).astype(np.uint8))
    out = tmp_path / "out"
    assert run(["analyse", str(path), "--modality", "DX", "--out", str(out)]) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("The picture is noise")
    assert "\n" not in said
    assert not out.exists(), "a refused picture leaves no result"
