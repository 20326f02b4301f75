"""The sample study: a valid, repeatable CT series whose lungs and lesions are where it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from scipy import ndimage

from inference import sample
from inference.domain import examine, judge_lungs
from inference.engine import Engine
from inference.errors import CancelledError, SecondReadError
from inference.lungs import find_lungs
from inference.models import ModelStore
from inference.preprocess import to_picture
from inference.progress import Progress
from inference.sample import store
from inference.studies import Unit, Volume, load, main_series, scan


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def folder(cache: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "user_cache_path", lambda *a, **k: cache)
        return sample.ensure()


@pytest.fixture(scope="module")
def truth(folder: Path, cache: Path) -> sample.Truth:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "user_cache_path", lambda *a, **k: cache)
        return sample.truth()


@pytest.fixture(scope="module")
def datasets(folder: Path) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(path) for path in sorted(folder.iterdir())]


@pytest.fixture(scope="module")
def hu(datasets: list[pydicom.Dataset]) -> np.ndarray:
    return np.stack([ds.pixel_array.astype(np.int16) - 1024 for ds in datasets])


def test_series_is_a_chest_ct(datasets: list[pydicom.Dataset]) -> None:
    first = datasets[0]
    assert len(datasets) >= 60
    assert (first.Rows, first.Columns) == (512, 512)
    assert first.Modality == "CT"
    assert str(first.PatientName) == "Sample^Synthetic"
    assert first.StudyDescription == "Synthetic chest CT (SecondRead sample)"
    assert (first.RescaleSlope, first.RescaleIntercept) == (1, -1024)


def test_uids_are_valid_and_unique(datasets: list[pydicom.Dataset]) -> None:
    instances = {ds.SOPInstanceUID for ds in datasets}
    assert len(instances) == len(datasets)
    assert len({ds.SeriesInstanceUID for ds in datasets}) == 1
    shared = datasets[0]
    for uid in (*instances, shared.StudyInstanceUID, shared.SeriesInstanceUID,
                shared.FrameOfReferenceUID):  # fmt: skip
        assert uid.is_valid


def test_slices_are_evenly_spaced(datasets: list[pydicom.Dataset]) -> None:
    z = np.array([float(ds.ImagePositionPatient[2]) for ds in datasets])
    np.testing.assert_allclose(np.diff(z), 4.5)


def test_every_building_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    again = sample.build(tmp_path / "again")
    first, second = sorted(folder.iterdir()), sorted(again.iterdir())
    assert [p.name for p in first] == [p.name for p in second]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(first, second, strict=True))


def test_threshold_and_components_find_the_lungs(hu: np.ndarray, truth: sample.Truth) -> None:
    labels, _ = ndimage.label(hu < -320)
    rim = np.ones(hu.shape[1:], bool)
    rim[1:-1, 1:-1] = False
    border = np.unique(labels[:, rim])
    sizes = np.bincount(labels.ravel())
    sizes[border] = 0
    keep = np.flatnonzero(sizes > 0.2 * sizes.max())
    found = np.isin(labels, keep[keep > 0])
    aerated = truth.lungs & ~truth.consolidation
    dice = 2 * (found & aerated).sum() / (found.sum() + aerated.sum())
    assert dice > 0.93
    assert not found[0].any(), "the lungs' lower ends are in the picture"
    assert not found[-1].any(), "and their tops"


def test_lesions_are_what_they_are_called(hu: np.ndarray, truth: sample.Truth) -> None:
    assert -650 < np.median(hu[truth.ggo]) < -450
    assert -30 < np.median(hu[truth.consolidation]) < 50
    assert 0 < np.median(hu[truth.effusion]) < 25
    assert -890 < np.median(hu[truth.lungs & ~truth.ggo & ~truth.consolidation]) < -800
    # ground glass does not hide the vessels in it
    assert np.percentile(hu[truth.ggo], 98) > -250
    # consolidation holds air bronchograms
    assert np.percentile(hu[truth.consolidation], 1) < -500


def test_lesions_lie_where_they_belong(truth: sample.Truth) -> None:
    assert not (truth.ggo & truth.consolidation).any()
    assert not (truth.effusion & truth.lungs).any()
    assert not (truth.ggo & ~truth.lungs).any()
    full = np.ones((3, 3, 3), bool)
    labels, _ = ndimage.label(truth.consolidation, full)
    sizes = np.bincount(labels.ravel())[1:]
    assert (sizes > 500).sum() == 3
    rows, columns = np.nonzero(truth.effusion.any(axis=0))
    assert rows.min() > 256, "fluid lies behind in a supine patient"
    assert columns.min() > 256, "fluid lies on one side"


def test_dataset_is_written_once(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "user_cache_path", lambda *a, **k: cache)
    monkeypatch.setattr(store, "_make", lambda progress: pytest.fail("made again"))
    assert sample.ensure() == folder


def test_cancelling_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "user_cache_path", lambda *a, **k: tmp_path)
    progress = Progress()
    progress.cancelled.set()
    with pytest.raises(CancelledError):
        sample.ensure(progress)
    assert not list(tmp_path.iterdir())


def test_a_folder_in_use_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_make", lambda progress: pytest.fail("worked in vain"))
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(SecondReadError, match="not empty"):
        sample.build(tmp_path)


@pytest.fixture(scope="module")
def volume(folder: Path) -> Volume:
    return load(main_series(scan(folder))[1])


def test_it_is_taken_for_a_chest(volume: Volume) -> None:
    domain = judge_lungs(volume, find_lungs(volume))
    assert domain.within
    assert domain.reasons == ()
    assert domain.score == 1.0


def test_the_shipped_detector_flags_what_is_done_to_a_slice(volume: Volume) -> None:
    picture = to_picture(volume, volume.shape[0] // 2)
    engine = Engine(ModelStore(), "cpu", precision="float32")

    def within(values: np.ndarray, modality: str) -> bool:
        grey = replace(volume, array=np.ascontiguousarray(values[np.newaxis]), unit=Unit.GREY,
                       modality=modality, windows=(), slices=volume.slices[:1])  # fmt: skip
        domain, models = examine(grey, None, engine, Progress(), [])
        assert [m.kind for m in models] == ["domain"]
        assert domain is not None
        return domain.within

    assert within(picture, "CT")
    assert not within(picture, "DX"), "no X-ray"
    assert not within(255 - picture, "CT"), "inverted"
    assert not within(np.flipud(picture), "CT"), "upside down"
