"""A small CT series on disk, its volume, and findings as an analysis would give them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from inference.findings import Calibrated, Domain, Findings, Timings
from inference.studies.model import Problem, Series, Study, Volume
from tests import factories

SLICES, ROWS, COLUMNS = 6, 40, 48
ORIGIN = (-11.0, -9.5, -100.0)


@pytest.fixture
def opened(tmp_path: Path) -> tuple[Study, Series, Volume]:
    """A CT of six slices, 5 × 0.8 × 0.7 mm, opened from its DICOM files."""
    array = 2 * np.random.default_rng(1).integers(-450, -400, (SLICES, ROWS, COLUMNS))
    folder = factories.write_series(
        tmp_path / "source", array, origin=ORIGIN, slope=2, seed="export tests",
        PatientID="1234567", PatientSex="O", StudyDate="20200317", StudyTime="120000",
        StudyDescription="Chest CT", BodyPartExamined="CHEST", WindowCenter=40, WindowWidth=400,
    )  # fmt: skip
    study, series, volume = factories.read_ct(folder)
    doubt = Problem("uneven-spacing", "Two slices lie 6 mm apart.", (volume.slices[0].path,))
    return study, series, replace(volume, problems=(doubt,))


@pytest.fixture
def study(opened: tuple[Study, Series, Volume]) -> Study:
    return opened[0]


@pytest.fixture
def series(opened: tuple[Study, Series, Volume]) -> Series:
    return opened[1]


@pytest.fixture
def volume(opened: tuple[Study, Series, Volume]) -> Volume:
    return opened[2]


@pytest.fixture
def rewrite() -> Callable[[Volume, Callable[[int, pydicom.Dataset], None]], None]:
    """Change the source files of a volume in place."""

    def apply(volume: Volume, change: Callable[[int, pydicom.Dataset], None]) -> None:
        for index, source in enumerate(volume.slices):
            ds = pydicom.dcmread(source.path)
            change(index, ds)
            ds.save_as(source.path)

    return apply


@pytest.fixture
def findings(volume: Volume) -> Findings:
    """Ground glass in slices 1 to 3, consolidation in slice 2, no effusion."""
    codes = np.zeros(volume.shape, np.uint8)
    codes[1:4, 4:12, 5:14] = 1
    codes[2, 15:20, 18:25] = 2
    lungs = np.zeros(volume.shape, bool)
    lungs[:, 2:22, 2:30] = True
    covid = np.array([np.nan, 0.9, 0.8, 0.7, 0.6, np.nan])
    signs = np.full((SLICES, 3), np.nan)
    signs[1:5] = [(0.9, 0.6, 0.1)] * 3 + [(0.4, 0.2, 0.05)]
    return factories.make_findings(
        volume, codes, lungs=lungs,
        rows={"covid-2": np.stack([covid, 1 - covid], axis=1), "manifestations": signs},
        timings=Timings(0.5, 0.1, 0.2, 0.3, 0.4, 0.05, 1.6),
        domain=Domain(False, 1 / 3, ("This does not look like a chest CT slice.",),
                      "measurements of the lungs"),
    )  # fmt: skip


@pytest.fixture
def calibrated(findings: Findings) -> Findings:
    """The same with another calibration; of what is not COVID-19 no band is known."""
    covid, manifestations = findings.estimates
    after = Calibrated(
        study=(0.7, 0.1 + 0.2), bands=((0.55, 0.85), None), per_slice=covid.per_slice * 0.5,
        of_slices=True, shares=(0.25, 0.75), n=172, groups=73,
    )  # fmt: skip
    known = replace(covid, calibrated=after, calibration="Calibrated on 172 pictures.")
    return replace(findings, estimates=(known, manifestations))


@pytest.fixture
def xray(findings: Findings) -> Findings:
    """Findings without segmentation."""
    return replace(findings, segments=(), lungs=None, lung_ml=None)
