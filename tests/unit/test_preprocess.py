"""Window, 8 bit, CLAHE, resize: the same code for training and inference."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import cv2
import numpy as np
import pytest

from inference.preprocess import Box, fit, prepare, restore, to_picture, to_tensor
from inference.studies.model import Unit, Volume, Window
from tests import factories


def _volume(array: np.ndarray, **changes: Any) -> Volume:
    values: dict[str, Any] = {
        "array": array, "affine": np.eye(4), "unit": Unit.HU, "modality": "CT",
        "has_geometry": True, "has_orientation": True, "series_uid": "1.2",
    }  # fmt: skip
    return factories.make_volume(**(values | changes))


def test_hu_are_shown_in_the_lung_window() -> None:
    row = np.array([-2000, -1350, -600, 150, 3000], dtype=np.int16)
    picture = to_picture(_volume(np.tile(row, (1, 5, 1))), 0)
    assert picture[0].tolist() == [0, 0, 128, 255, 255]


def test_monochrome1_is_turned_once() -> None:
    array = np.arange(4096, dtype=np.uint16).reshape(1, 64, 64)
    window = (Window(2048.0, 4096.0),)
    grey = {"unit": Unit.GREY, "modality": "CR", "windows": window}
    plain = to_picture(_volume(array, **grey), 0)
    turned = to_picture(_volume(array, **grey, inverted=True), 0)
    assert plain[0, 0] == 0
    assert np.array_equal(turned, 255 - plain)


def test_eight_bit_pictures_are_taken_as_they_are() -> None:
    array = np.random.default_rng(0).integers(0, 256, (1, 40, 50), dtype=np.uint8)
    picture = to_picture(_volume(array, unit=Unit.GREY, modality="OT"), 0)
    assert np.array_equal(picture, array[0])


def test_the_first_window_of_the_file_is_the_one_that_is_used() -> None:
    """PS3.3 C.11.2.1.2: the first is the one to begin with."""
    array = np.arange(4096, dtype=np.uint16).reshape(1, 64, 64)
    grey = {"unit": Unit.GREY, "modality": "DX"}
    first, other = Window(1024.0, 1024.0, "first"), Window(3000.0, 400.0, "other")
    both = to_picture(_volume(array, **grey, windows=(first, other)), 0)
    assert both.flat[512] == 0
    assert both.flat[1024] in {127, 128}
    assert both.flat[1536] == 255


def test_a_picture_with_one_side_over_the_size_is_averaged_not_sampled() -> None:
    stripes = np.zeros((32, 256), np.uint8)
    stripes[:, ::8] = 255
    shrunk = fit(stripes, 64)
    assert shrunk.shape == (64, 64)
    assert (shrunk == 64).mean() > 0.45, "a fourth of 255 where a stripe is"
    assert shrunk.max() < 100, "no stripe is met or missed whole"


def test_xray_without_a_window_uses_percentiles() -> None:
    array = np.linspace(1000, 9000, 10000).reshape(1, 100, 100).astype(np.uint16)
    picture = to_picture(_volume(array, unit=Unit.GREY, modality="DX"), 0)
    assert picture.min() == 0
    assert picture.max() == 255


def test_training_and_inference_prepare_alike(tmp_path: Path) -> None:
    """A picture through the dataset and through the system gives the same bytes."""
    from inference.systems.elbana.planning import prepare_pictures
    from inference.training.datasets import build
    from inference.training.manifest import read_manifest
    from inference.training.recipe import Recipe

    picture = np.random.default_rng(1).integers(0, 256, (90, 120), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    header = "path,role,image_path,task,source,modality,label,split_group\n"
    (tmp_path / "manifest.csv").write_text(
        header + "a.png,image,,ct_classification,s,CT,covid19,g\n"
    )
    recipe = Recipe("r", "recognition", 0, 64, 1, 1, 1e-3)
    trained = build(read_manifest(tmp_path), recipe, {"g": 0}, [0]).pictures[0]

    volume = _volume(picture[np.newaxis], unit=Unit.GREY)
    analysed = prepare_pictures(volume, np.array([0]), None, {(64, "whole")}, Event())
    analysed = analysed.pictures[64, "whole"][0]
    assert np.array_equal(trained, analysed)
    clahe = cv2.createCLAHE(2.0, (8, 8)).apply(picture)
    assert np.array_equal(trained, cv2.resize(clahe, (64, 64), interpolation=cv2.INTER_AREA))


def test_a_chest_is_cut_out_alike_in_training_and_inference(tmp_path: Path) -> None:
    from inference.framing import chest_box
    from inference.systems.elbana.planning import prepare_pictures
    from inference.training.datasets import build
    from inference.training.manifest import read_manifest
    from inference.training.recipe import Recipe

    picture = np.zeros((160, 200), dtype=np.uint8)
    cv2.ellipse(picture, (110, 90), (70, 55), 0, 0, 360, 215, -1)
    for column in (80, 140):
        cv2.ellipse(picture, (column, 90), (24, 40), 0, 0, 360, 40, -1)
    mask = np.where(np.arange(200) > 130, 1, 0).astype(np.uint8) * np.ones((160, 1), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    cv2.imwrite(str(tmp_path / "m.png"), mask)
    (tmp_path / "manifest.csv").write_text(
        "path,role,image_path,task,source,modality,label,split_group\n"
        "a.png,image,,ct_segmentation,s,CT,ggo,g\nm.png,mask,a.png,ct_segmentation,s,CT,ggo,g\n"
    )
    network = {"streams": {"ggo": 1}}
    recipe = Recipe("r", "streams", 0, 64, 1, 1, 1e-3, framing="chest", network=network)
    learned = build(read_manifest(tmp_path), recipe, {"g": 0}, [0])

    volume = _volume(picture[np.newaxis], unit=Unit.GREY)
    wanted = {(64, "chest"), (64, "whole")}
    analysed = prepare_pictures(volume, np.array([0]), None, wanted, Event())
    box = chest_box(picture)
    assert analysed.boxes == {"chest": [box], "whole": [None]}
    assert np.array_equal(learned.pictures[0], analysed.pictures[64, "chest"][0])
    assert not np.array_equal(learned.pictures[0], analysed.pictures[64, "whole"][0])
    assert learned.masks is not None
    edge = (131 - box.left) / (box.right - box.left) * 64
    assert abs(int(learned.masks[0, 32].argmax()) - edge) <= 1

    lungs = Box(10, 90, 20, 120)
    given = prepare_pictures(volume, np.array([0]), lungs, wanted, Event())
    assert given.boxes == {"chest": [lungs], "whole": [lungs]}


def test_box_round_trip_keeps_the_place() -> None:
    mask = np.zeros((3, 100, 120), dtype=bool)
    mask[1, 30:70, 20:100] = True
    box = Box.around(mask, margin=0.0)
    assert box == Box(30, 70, 20, 100)
    heat = np.ones((1, 16, 16), dtype=np.float32)
    assert np.array_equal(restore(heat, (100, 120), box)[0] > 0, mask[1])


def test_box_margin_stays_inside_the_picture() -> None:
    mask = np.zeros((1, 50, 50), dtype=bool)
    mask[0, 0:50, 10:20] = True
    box = Box.around(mask, margin=0.5)
    assert (box.top, box.bottom) == (0, 50)
    assert (box.left, box.right) == (0, 44)


@pytest.mark.parametrize("size", [32, 200])
def test_prepare_gives_a_square(size: int) -> None:
    picture = np.random.default_rng(2).integers(0, 256, (70, 90), dtype=np.uint8)
    prepared = prepare(picture, size, Box(10, 60, 5, 80))
    assert prepared.shape == (size, size)
    tensor = to_tensor(prepared[np.newaxis])
    assert tensor.shape == (1, 1, size, size)
    assert abs(float(tensor.max())) <= 2.0
