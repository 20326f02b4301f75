"""The command line on the sample study, with the engine that is shipped, option by option.

`tests/unit/test_command_line_options.py` says which test holds which option.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import highdicom as hd
import numpy as np
import pydicom
import pytest
import SimpleITK

from inference import cli
from inference.export import archive
from inference.findings import Findings, Manifestation
from inference.models import ModelStore
from inference.sample import ensure
from inference.studies import Volume, load, scan
from inference.systems import Context
from viewer.command import with_open

pytestmark = pytest.mark.e2e

SLICES = range(27, 30)
"""Of the sample's 64, counted from one: all three manifestations lie in them."""


def run(*arguments: object) -> int:
    """Run the program in this process, and return its exit status."""
    return cli.run(with_open([str(argument) for argument in arguments]))


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one sentence with which it refuses."""
    capsys.readouterr()
    status = run(*arguments)
    said = capsys.readouterr().err.strip()
    assert status in {1, 2}
    assert said
    assert "unforeseen" not in said
    return said


def report_in(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    return report


def models_in(folder: Path) -> set[str]:
    return {model["name"] for model in report_in(folder)["models"]}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three slices of the sample study."""
    whole = ensure()
    few = tmp_path_factory.mktemp("few")
    for path in whole.rglob("*.dcm"):
        header = pydicom.dcmread(path, stop_before_pixels=True)
        if int(header.InstanceNumber) in SLICES:
            shutil.copy2(path, few)
    assert len(list(few.iterdir())) == len(SLICES)
    return few


@pytest.fixture(scope="module")
def xray(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture like a chest X-ray: bright body, two dark lungs, some noise."""
    rows, columns = np.mgrid[0:320, 0:320] / 320 - 0.5
    grey = np.full((320, 320), 190.0)
    for side in (-0.2, 0.2):
        grey[(rows / 0.36) ** 2 + ((columns - side) / 0.14) ** 2 < 1] = 70.0
    grey += np.random.default_rng(3).normal(0, 6, grey.shape)
    path = tmp_path_factory.mktemp("xray") / "xray.png"
    assert cv2.imwrite(str(path), np.clip(grey, 0, 255).astype(np.uint8))
    return path


@pytest.fixture(scope="module")
def analysed(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `analyse` writes of the CT; PyTorch, so that no graph has to be made."""
    out = tmp_path_factory.mktemp("out") / "made" / "here"
    assert run("analyse", study, "--out", out, "--backend", "eager", "--device", "cpu") == 0
    return out


@pytest.fixture(scope="module")
def analysed_xray(xray: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `analyse` writes of the X-ray."""
    out = tmp_path_factory.mktemp("out-xray")
    arguments = ("--modality", "DX", "--backend", "eager", "--device", "cpu")
    assert run("analyse", xray, "--out", out, *arguments) == 0
    return out


@pytest.fixture(scope="module")
def volume(study: Path) -> Volume:
    return load(scan(study)[0].series[0])


@pytest.fixture(scope="module")
def findings(analysed: Path, volume: Volume) -> Findings:
    return archive.load(analysed / "archive", volume)


def labels_of(findings: Findings) -> np.ndarray:
    """The masks as one map, in the order of the manifestations."""
    return sum(  # type: ignore[return-value]
        (segment.mask * np.uint8(1 + list(Manifestation).index(segment.key)))
        for segment in findings.segments
    )


# -- analyse -----------------------------------------------------------------------------------


def test_analyse_writes_what_the_engine_found(
    analysed: Path, findings: Findings, volume: Volume
) -> None:
    report = report_in(analysed)
    assert report["study"]["slices"] == len(SLICES)
    assert report["device"].startswith("CPU")
    assert {s.key for s in findings.segments if s.mask.any()} == set(Manifestation)
    for segment, told in zip(findings.segments, report["segments"], strict=True):
        assert told["volume_ml"] == pytest.approx(
            segment.mask.sum() * volume.voxel_ml, rel=1e-3, abs=0.01
        )
    labels = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(analysed / "labels.nii.gz")))
    np.testing.assert_array_equal(labels, labels_of(findings))
    assert {p.name.split("_")[0] for p in (analysed / "slices").iterdir()} == {
        key.value for key in Manifestation
    }


def test_how_the_networks_run_is_the_backend_asked_for(
    xray: Path, analysed_xray: Path, tmp_path: Path
) -> None:
    arguments = ("--modality", "DX", "--out", tmp_path, "--device", "cpu")
    assert run("analyse", xray, *arguments, "--backend", "graph") == 0
    assert "OpenVINO" in report_in(tmp_path)["device"]
    assert "PyTorch" in report_in(analysed_xray)["device"]
    assert "OpenVINO" not in report_in(analysed_xray)["device"]


@pytest.fixture
def step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `open`, which has no such option, run in PyTorch: no graph has to be made."""
    monkeypatch.setattr("inference.systems.Context", partial(Context, backend="eager"))


@pytest.mark.usefixtures("step_by_step")
@pytest.mark.parametrize("command", ["analyse", "open"])
def test_the_recogniser_asked_for_is_the_one_that_speaks(
    xray: Path, analysed_xray: Path, tmp_path: Path, command: str
) -> None:
    default = ModelStore().recogniser(ct=False, name="default").name
    assert default != "recognition"
    assert default in models_in(analysed_xray)
    more = ("--backend", "eager") if command == "analyse" else ("--offscreen", "--analyse")
    arguments = ("--modality", "DX", "--recogniser", "recognition", "--device", "cpu")
    assert run(command, xray, "--out", tmp_path, *arguments, *more) == 0
    assert "recognition" in models_in(tmp_path)
    assert default not in models_in(tmp_path)


def test_streams_series_and_identity(
    study: Path, analysed: Path, write_ct: Callable[..., Path], tmp_path: Path
) -> None:
    """Of two series the shorter one, with other networks, and with the patient's name."""
    both = write_ct("both", slices=5)
    shutil.copytree(study, both / "sample")
    sample = pydicom.dcmread(next(study.iterdir()), stop_before_pixels=True)
    arguments = ("--streams", "separate", "--identity", "--backend", "eager", "--device", "cpu")
    number = str(sample.SeriesInstanceUID)
    assert run("analyse", both, "--out", tmp_path / "o", "--series", number, *arguments) == 0
    report = report_in(tmp_path / "o")
    assert report["study"]["slices"] == len(SLICES)
    assert {"stream-ggo", "stream-consolidation", "stream-effusion"} <= models_in(tmp_path / "o")
    assert not {"stream-ggo", "stream-consolidation"} & models_in(analysed)
    assert report["study"]["identity"]["patient_id"] == sample.PatientID
    assert report_in(analysed)["study"]["identity"] is None
    assert sample.SeriesInstanceUID not in (analysed / "findings.json").read_text("utf-8")


@pytest.mark.usefixtures("step_by_step")
def test_open_analyses_with_the_streams_asked_for(
    study: Path, analysed: Path, tmp_path: Path
) -> None:
    arguments = ("--offscreen", "--analyse", "--streams", "separate", "--device", "cpu")
    assert run("open", study, "--out", tmp_path, *arguments) == 0
    assert {"stream-ggo", "stream-consolidation", "stream-effusion"} <= models_in(tmp_path)
    assert not {"stream-ggo", "stream-consolidation"} & models_in(analysed)


@pytest.mark.parametrize("command", ["analyse", "open"])
@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--system", "other", "There is no system “other”"),
        ("--device", "tpu", "There is no device 'tpu'"),
        ("--recogniser", "oracle", "'oracle' for CT"),
    ],
)
def test_what_is_not_there_is_refused_by_its_name(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, option: str,
    value: str, words: str,
) -> None:  # fmt: skip
    """So each of them reaches the engine."""
    more = ("--offscreen", "--analyse") if command == "open" else ()
    out = tmp_path / "out"
    assert words in refused(capsys, command, study, "--out", out, option, value, *more)
    assert not out.exists()


def test_a_series_that_is_not_there_is_refused_by_its_number(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, "analyse", study, "--out", tmp_path / "out", "--series", "4711")
    assert "4711" in said


def test_a_picture_is_analysed_as_what_it_is_said_to_show(
    xray: Path, analysed_xray: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = report_in(analysed_xray)
    assert report["study"]["modality"] == "DX"
    assert {estimate["task"] for estimate in report["recognition"]} == {"covid-2", "cxr-4"}
    assert "--modality" in refused(capsys, "analyse", xray, "--out", tmp_path / "out")


# -- export ------------------------------------------------------------------------------------


def export(study: Path, analysed: Path, to: Path, *more: object) -> int:
    return run("export", study, "--findings", analysed, "--to", to, *more)


def test_every_kind_of_file_is_read_back_by_its_own_reader(
    study: Path, analysed: Path, findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    for name in ("seg.dcm", "labels.nii.gz", "labels.nii", "slice.png", "lesions.csv", "f.json"):
        assert export(study, analysed, tmp_path / name) == 0, name
    expected = labels_of(findings)
    uids = [source.sop_instance_uid for source in volume.slices]
    seg = hd.seg.segread(tmp_path / "seg.dcm").get_pixels_by_source_instance(
        uids, assert_missing_frames_are_empty=True, combine_segments=True
    )
    np.testing.assert_array_equal(seg, expected)
    for name in ("labels.nii.gz", "labels.nii"):
        image = SimpleITK.ReadImage(str(tmp_path / name))
        np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image), expected)
        np.testing.assert_allclose(image.GetOrigin(), volume.affine[:3, 3], atol=1e-4)
    assert cv2.imread(str(tmp_path / "slice.png")).shape == (802, 768, 3)
    with (tmp_path / "lesions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    assert len(rows) == sum(segment.lesions for segment in findings.segments)
    assert json.loads((tmp_path / "f.json").read_text("utf-8")) == report_in(analysed)


def test_a_slice_filled_and_outlined(
    study: Path, analysed: Path, findings: Findings, tmp_path: Path
) -> None:
    filled, outlined = tmp_path / "filled.png", tmp_path / "outlined.png"
    assert export(study, analysed, filled, "--slice", 2) == 0
    assert export(study, analysed, outlined, "--slice", 2, "--outline") == 0
    assert export(study, analysed, tmp_path / "other.png", "--slice", 1) == 0

    def marked(index: int) -> np.ndarray:
        """In the middle of the picture, where no text stands."""
        mask = (labels_of(findings)[index] > 0).astype(np.uint8)
        return cv2.resize(mask, (768, 768), interpolation=cv2.INTER_NEAREST)[150:620, 150:620] > 0

    def coloured(path: Path) -> np.ndarray:
        picture = cv2.imread(str(path)).astype(int)[150:620, 150:620]
        return np.asarray(picture.max(axis=2) - picture.min(axis=2) > 12)

    here, there = marked(1), marked(0)
    assert here.sum() > 1000
    assert (coloured(filled) == here).mean() > 0.99
    assert 0.02 < (coloured(outlined) & here).sum() / here.sum() < 0.7
    assert (coloured(tmp_path / "other.png") == there).mean() > 0.99
    assert (here != there).mean() > 0.01, "so that one could not pass for the other"


def test_a_file_names_the_patient_when_it_is_asked_to(
    study: Path, analysed: Path, tmp_path: Path
) -> None:
    patient = str(pydicom.dcmread(next(study.iterdir()), stop_before_pixels=True).PatientID)
    assert patient
    for more, named in ((), False), (("--identity",), True):
        assert export(study, analysed, tmp_path / "f.json", *more) == 0
        assert (patient in (tmp_path / "f.json").read_text("utf-8")) == named


def test_findings_are_exported_with_their_own_series_alone(
    study: Path, analysed: Path, write_ct: Callable[..., Path], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    both = write_ct("both", slices=5)
    other = pydicom.dcmread(both / "000.dcm", stop_before_pixels=True).SeriesInstanceUID
    shutil.copytree(study, both / "sample")
    own = pydicom.dcmread(next(study.iterdir()), stop_before_pixels=True).SeriesInstanceUID
    to = tmp_path / "labels.nii.gz"
    said = refused(capsys, "export", both, "--findings", analysed, "--to", to, "--series", other)
    assert "another series" in said
    assert not to.exists()
    assert export(both, analysed, to, "--series", own) == 0
    assert to.exists()


def test_a_picture_is_exported_as_what_it_is_said_to_show(
    xray: Path, analysed_xray: Path, tmp_path: Path
) -> None:
    to = tmp_path / "f.json"
    assert export(xray, analysed_xray, to, "--modality", "DX") == 0
    assert json.loads(to.read_text("utf-8"))["study"]["modality"] == "DX"


# -- open --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("step_by_step")
def test_open_without_a_screen_writes_what_the_window_would_show(
    xray: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown, analysed = tmp_path / "shown", tmp_path / "analysed"
    assert run("open", xray, "--offscreen", "--out", shown) == 0
    assert "No window was opened" in capsys.readouterr().out
    assert {p.name for p in shown.iterdir()} == {"window.png"}
    arguments = ("--analyse", "--modality", "DX", "--device", "cpu")
    assert run("open", xray, "--offscreen", "--out", analysed, *arguments) == 0
    assert report_in(analysed)["study"]["modality"] == "DX"
    before, after = (cv2.imread(str(f / "window.png")) for f in (shown, analysed))
    assert before.shape == after.shape
    assert (before != after).any(axis=2).mean() > 0.01, "the findings are seen"


def test_open_the_sample_shows_it_analysed(
    study: Path, analysed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As at the second start: its findings were kept."""
    monkeypatch.setattr("inference.sample.ensure", lambda _progress: study)
    monkeypatch.setattr("viewer.opened._kept_findings", lambda _wish: analysed / "archive")
    assert run("open", "--sample", "--offscreen", "--out", tmp_path) == 0
    told, expected = report_in(tmp_path), report_in(analysed)
    assert told["segments"] == expected["segments"]
    assert cv2.imread(str(tmp_path / "window.png")) is not None


# -- index, models -----------------------------------------------------------------------------


def test_the_index_remembers_and_forgets(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("index", "--clear") == 0
    assert "empty" in capsys.readouterr().out
    scan(study)
    assert run("index") == 0
    assert f"{len(SLICES)} files in 1 folders" in capsys.readouterr().out
    assert run("index", "--clear") == 0
    capsys.readouterr()
    assert run("index") == 0
    assert "0 files in 0 folders" in capsys.readouterr().out


def test_models_are_listed_verified_and_described(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [record.name for record in ModelStore().records]
    assert run("models", "list") == 0
    said = capsys.readouterr().out
    assert all(name in said for name in names)
    assert run("models", "verify", "domain") == 0
    assert capsys.readouterr().out == "domain: SHA-256 is that of the manifest\n"
    assert run("models", "card", "domain") == 0
    card = capsys.readouterr().out
    assert "Research use only" in card
    assert run("models", "card", "--write", tmp_path / "cards") == 0
    assert {f"{name}.md" for name in names} <= {p.name for p in (tmp_path / "cards").iterdir()}
    assert "not both" in refused(capsys, "models", "card", "domain", "--write", tmp_path / "c")
