"""Findings outlive the program: kept by series, grid and models, and never shown as what they are
not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from inference import locks
from inference.cli import run
from inference.errors import ExportRefusedError
from inference.export import archive, kept
from inference.export.kept import FindingsStore
from inference.export.labels import label_map
from inference.findings import Findings
from inference.models import ModelStore
from inference.studies.model import Volume


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder of models; `install` changes what is in it."""
    folder = tmp_path / "models"
    ModelStore(folder).write(())
    return folder


@pytest.fixture
def store(tmp_path: Path, models: Path) -> FindingsStore:
    return FindingsStore(tmp_path / "kept", models)


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user whom a test plays."""
    folder = tmp_path / "user"
    monkeypatch.setattr(kept, "default_folder", lambda: folder)
    return folder


def install(models: Path) -> None:
    """Let the default form of the streams be another."""
    content = json.loads((models / "manifest.json").read_text())
    content["default_streams"] = "mixed"
    (models / "manifest.json").write_text(json.dumps(content))


def archives(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def test_findings_come_back_whole_and_current(
    store: FindingsStore, findings: Findings, volume: Volume
) -> None:
    assert not store.knows(volume)
    store.save(findings, volume, streams="mixed", recogniser="other")
    assert store.knows(volume)
    found, refused = store.load(volume)
    assert refused == ""
    assert found is not None
    np.testing.assert_array_equal(label_map(found.findings), label_map(findings))
    assert found.findings.estimates[0].study == findings.estimates[0].study
    assert not found.mark.stale
    assert found.mark.made == findings.created
    assert (found.mark.streams, found.mark.recogniser) == ("mixed", "other")


def test_findings_of_other_models_are_stale_and_say_so(
    store: FindingsStore, models: Path, findings: Findings, volume: Volume
) -> None:
    store.save(findings, volume)
    install(models)
    found, _ = store.load(volume)
    assert found is not None
    assert found.mark.stale
    assert found.mark.sentence.startswith("Made on 2026-01-02")
    assert "with other models than those installed now; analyse again." in found.mark.sentence
    assert store.marks([volume.series_uid])[volume.series_uid].stale


def test_weights_that_are_not_the_installed_ones_are_stale(
    store: FindingsStore, findings: Findings, volume: Volume
) -> None:
    shipped = FindingsStore(store.folder)
    shipped.save(findings, volume)
    found, _ = shipped.load(volume)
    assert found is not None
    assert not found.mark.stale
    shipped.clear()
    other = replace(findings.models[0], sha256="f" * 64)
    shipped.save(replace(findings, models=(other, *findings.models[1:])), volume)
    found, _ = shipped.load(volume)
    assert found is not None
    assert found.mark.stale


def test_another_version_of_the_program_is_said(
    store: FindingsStore, findings: Findings, volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "__version__", "0.0.1")
    store.save(findings, volume)
    monkeypatch.undo()
    found, _ = store.load(volume)
    assert found is not None
    assert "with SecondRead 0.0.1, not " in found.mark.sentence


def test_current_findings_go_before_newer_stale_ones(
    store: FindingsStore, models: Path, findings: Findings, volume: Volume
) -> None:
    store.save(findings, volume)
    text = (models / "manifest.json").read_text()
    install(models)
    store.save(
        replace(
            findings, created="2026-02-02T03:04:05+00:00", estimates=(), segments=(), models=()
        ),
        volume,
    )
    (models / "manifest.json").write_text(text)
    found, _ = store.load(volume)
    assert found is not None
    assert (found.mark.stale, found.mark.made) == (False, findings.created)
    assert not store.marks([volume.series_uid])[volume.series_uid].stale


def test_other_pixels_get_nothing_and_are_told_why(
    store: FindingsStore, findings: Findings, volume: Volume
) -> None:
    store.save(findings, volume)
    changed = volume.array.copy()
    changed[0, 0, 0] += 1
    assert store.load(replace(volume, array=changed))[0] is None
    assert "other pixels" in store.load(replace(volume, array=changed))[1]


def test_a_picture_taken_for_something_else_has_findings_of_its_own(
    store: FindingsStore, findings: Findings, xray: Findings, volume: Volume
) -> None:
    store.save(findings, volume)
    store.save(xray, replace(volume, modality="DX"))
    one, two = store.load(volume)[0], store.load(replace(volume, modality="DX"))[0]
    assert one is not None
    assert two is not None
    assert (len(one.findings.segments), len(two.findings.segments)) == (3, 0)


def test_the_same_analysis_anew_replaces_the_old_one(
    store: FindingsStore, findings: Findings, volume: Volume
) -> None:
    store.save(findings, volume)
    store.save(replace(findings, created="2026-03-02T03:04:05+00:00"), volume)
    assert len(archives(store.folder)) == 1
    found, _ = store.load(volume)
    assert found is not None
    assert found.mark.made.startswith("2026-03-02")


def test_a_crash_while_writing_leaves_the_old_findings(
    store: FindingsStore, findings: Findings, volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(findings, volume)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", stop)
        with pytest.raises(KeyboardInterrupt):
            store.save(replace(findings, created="2027-01-01T00:00:00+00:00"), volume)
    found, _ = store.load(volume)
    assert found is not None
    assert found.mark.made == findings.created


def test_another_window_s_findings_are_not_replaced_in_silence(
    store: FindingsStore, findings: Findings, volume: Volume, models: Path
) -> None:
    other = FindingsStore(store.folder, models)
    assert store.save(findings, volume) == ""
    assert store.save(replace(findings, created="2026-03-02T03:04:05+00:00"), volume) == ""
    said = other.save(replace(findings, created="2026-03-03T03:04:05+00:00"), volume)
    assert "Another window has analysed this series meanwhile" in said
    store.load(volume)
    assert store.save(replace(findings, created="2026-03-04T03:04:05+00:00"), volume) == ""
    assert len(archives(store.folder)) == 1


def test_findings_are_not_read_while_they_are_being_replaced(
    store: FindingsStore, findings: Findings, volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(findings, volume)
    monkeypatch.setattr("inference.export.kept._WAIT_SECONDS", 0.0)
    asked: list[bool] = []
    remove = shutil.rmtree

    def look(path: Path, **options: object) -> None:
        if path.name.startswith(store.folder.name) or path.parent == store.folder:
            lock = locks.take(store.folder.with_name(f".{store.folder.name}.lock"))
            asked.append(lock is None)
        remove(path, **options)

    monkeypatch.setattr("inference.export.kept.shutil.rmtree", look)
    store.save(replace(findings, created="2026-03-02T03:04:05+00:00"), volume)
    assert asked[0], "the old ones go under the lock that those who read them take"
    monkeypatch.undo()
    found, _ = store.load(volume)
    assert found is not None
    assert found.mark.made.startswith("2026-03-02")


def test_the_oldest_go_when_there_are_too_many(
    store: FindingsStore, findings: Findings, volume: Volume
) -> None:
    def of(uid: str) -> tuple[Findings, Volume]:
        return replace(findings, series_uid=uid), replace(volume, series_uid=uid)

    store.save(*of("1.1"))
    one = store.size()
    for uid in ("1.2", "1.3"):
        store.save(*of(uid), int(2.5 * one))
    assert [store.knows(of(uid)[1]) for uid in ("1.1", "1.2", "1.3")] == [False, True, True]
    store.save(*of("1.4"), limit=1)
    assert [store.knows(of(uid)[1]) for uid in ("1.2", "1.3", "1.4")] == [False, False, True]


def test_nothing_names_the_patient(
    store: FindingsStore, findings: Findings, volume: Volume
) -> None:
    store.save(findings, volume)
    written = list(store.folder.rglob("*"))
    names = " ".join(path.name for path in written)
    texts = " ".join(p.read_text() for p in written if p.suffix == ".json")
    for private in ("Doe", "1234567", volume.series_uid, volume.study_uid, "Chest"):
        assert private not in names
        assert private not in texts
    assert store.folder.stat().st_mode & 0o077 == 0


def test_clearing_forgets_all(store: FindingsStore, findings: Findings, volume: Volume) -> None:
    store.save(findings, volume)
    assert store.size() > 0
    store.clear()
    assert store.size() == 0
    assert store.load(volume) == (None, "")


def test_a_folder_that_cannot_be_written_is_said(
    tmp_path: Path, models: Path, findings: Findings, volume: Volume
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportRefusedError, match="export them before you close"):
        FindingsStore(tmp_path / "file", models).save(findings, volume)


def test_damage_is_said_and_mended_by_a_new_analysis(
    store: FindingsStore, findings: Findings, volume: Volume
) -> None:
    store.save(findings, volume)
    (arrays,) = archives(store.folder)[0].glob("archive-*.npz")
    arrays.write_bytes(b"nothing")
    found, refused = store.load(volume)
    assert found is None
    assert "damaged; analyse the study again" in refused
    store.save(findings, volume)
    assert store.load(volume)[1] == ""


class TestExport:
    """``secondread export PATH`` without --findings."""

    def test_takes_the_kept_findings_and_says_of_when(
        self, own_folder: Path, findings: Findings, volume: Volume, tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        FindingsStore().save(findings, volume)
        source, to = volume.slices[0].path.parent, tmp_path / "labels.nii.gz"
        assert run(["export", str(source), "--to", str(to)]) == 0
        said = capsys.readouterr()
        assert "Kept findings. Made on 2026-01-02" in said.err
        assert "other models" not in said.err
        assert to.stat().st_size > 100

    def test_says_that_they_are_stale(
        self, own_folder: Path, findings: Findings, volume: Volume, tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        old = replace(findings.models[0], sha256="f" * 64)
        FindingsStore().save(replace(findings, models=(old, *findings.models[1:])), volume)
        to = tmp_path / "findings.json"
        assert run(["export", str(volume.slices[0].path.parent), "--to", str(to)]) == 0
        assert "with other models than those installed now" in capsys.readouterr().err

    def test_without_any_says_what_to_do(
        self, own_folder: Path, volume: Volume, tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        to = tmp_path / "findings.json"
        assert run(["export", str(volume.slices[0].path.parent), "--to", str(to)]) == 2
        assert "No findings of this series are kept" in capsys.readouterr().err
        assert not to.exists()

    def test_refuses_those_of_other_pixels(
        self, own_folder: Path, findings: Findings, volume: Volume, tmp_path: Path,
        rewrite: Callable[[Volume, Callable[[int, pydicom.Dataset], None]], None],
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        FindingsStore().save(findings, volume)
        rewrite(volume, lambda index, ds: setattr(ds, "RescaleIntercept", 1))
        to = tmp_path / "findings.json"
        assert run(["export", str(volume.slices[0].path.parent), "--to", str(to)]) == 2
        assert "other pixels" in capsys.readouterr().err


def test_the_archive_is_that_of_analyse(
    store: FindingsStore, findings: Findings, volume: Volume
) -> None:
    store.save(findings, volume)
    found = archive.load(archives(store.folder)[0], volume)
    assert found.created == findings.created
