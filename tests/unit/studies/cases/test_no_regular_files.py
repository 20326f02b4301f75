"""What is no regular file is neither waited for nor read, whatever its name promises."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from inference.errors import BadInputError
from inference.studies import load, scan
from tests.factories import write_series
from tests.unit.studies.cases.written_volumes import HU

NAMES = ["DICOMDIR", "dicomdir", "a.dcm", "a.nii", "a.nii.gz", "a.mhd", "a.hdr", "a.img", "a.png",
         "a.zip", "a"]  # fmt: skip


def fifo(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def linked_fifo(path: Path) -> None:
    os.mkfifo(path.with_name(".hidden"))
    path.symlink_to(path.with_name(".hidden"))


def loop(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize("make", [fifo, device, linked_fifo, loop])
@pytest.mark.parametrize("name", NAMES)
def test_beside_a_good_series_it_is_passed_over(tmp_path, name, make):
    make(write_series(tmp_path / "ct", HU) / name)
    (study,) = scan(tmp_path / "ct")
    np.testing.assert_array_equal(load(study.series[0]).array, HU)


@pytest.mark.parametrize("make", [fifo, device, linked_fifo])
@pytest.mark.parametrize("name", NAMES)
def test_chosen_it_is_refused_as_what_it_is(tmp_path, name, make):
    make(tmp_path / name)
    with pytest.raises(BadInputError, match="neither a file nor a folder"):
        scan(tmp_path / name)
