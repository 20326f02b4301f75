"""Groups are never divided, and a bad manifest is refused in a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from inference.errors import BadInputError
from inference.training.manifest import FOLDS, fold_of_groups, read_manifest


def test_a_group_has_one_fold_in_all_tasks(write_manifest: Callable[[str], Path]) -> None:
    lines = "".join(
        f"a{i}.png,image,,{task},s,CXR,covid19,g{i % 25}\n"
        for i, task in enumerate(["cxr_classification", "cxr_lesion_segmentation"] * 50)
    )
    rows = read_manifest(write_manifest(lines))
    folds = fold_of_groups(rows)
    assert set(folds) == {f"g{i}" for i in range(25)}
    assert Counter(folds.values()) == dict.fromkeys(range(FOLDS), 5)


def test_folds_are_the_same_each_time(xray_folder: Path) -> None:
    rows = read_manifest(xray_folder)
    assert fold_of_groups(rows) == fold_of_groups(rows)


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"holds no manifest\.csv"):
        read_manifest(tmp_path)


def test_missing_columns_are_named(write_manifest: Callable[..., Path]) -> None:
    folder = write_manifest("a.png,image\n", "path,role\n")
    with pytest.raises(BadInputError, match="lacks the columns image_path, label"):
        read_manifest(folder)


def test_empty_manifest(write_manifest: Callable[[str], Path]) -> None:
    with pytest.raises(BadInputError, match="has no rows"):
        read_manifest(write_manifest(""))
