"""Evidence learns from training groups, is joined on validation groups, and belongs to weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import typer
from safetensors.torch import save_file
from typer.testing import CliRunner

from inference.commands.evidence import register
from inference.errors import BadInputError
from inference.model_cards import card
from inference.models import ModelRecord, ModelStore, Split
from inference.networks.factory import make_network
from inference.training.calibrate import calibrate
from inference.training.evaluation import evidence, recognition, shortcuts
from inference.training.evaluation.calibration import samples_of
from inference.training.evaluation.figure import LEFT_OUT, SPLITS, Job
from inference.training.evidence import (
    PARTS,
    Described,
    Fitted,
    choose,
    extents_of,
    fit,
    fit_extent,
    fit_join,
    fit_regression,
    held_out_joins,
    install,
)
from inference.training.evidence.regression import columns
from inference.training.leaveout_joined import JOINED, joined_figures
from inference.training.manifest import read_manifest

STREAMS = {
    "form": "shared", "encoder": "resnet18", "depth": 3, "decoder_channels": 8,
    "streams": {"ggo": 1, "consolidation": 1, "effusion": 1},
}  # fmt: skip
TRAINED = tuple(f"g{i}" for i in range(30))
VALIDATION = tuple(f"g{i}" for i in range(30, 54))


@pytest.fixture(scope="session")
def ct_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 slices of 60 groups and two sources; COVID-19 has a bright disc."""
    folder = tmp_path_factory.mktemp("ct")
    chooser = np.random.default_rng(6)
    lines = ["path,role,image_path,task,source,modality,label,split_group\n"]
    for index in range(60):
        label = ("covid19", "noncovid")[index % 2]
        picture = chooser.normal(60, 8, (64, 64))
        if label == "covid19":
            cv2.circle(picture, tuple(chooser.integers(20, 44, 2).tolist()), 12, 210.0, -1)
        cv2.imwrite(str(folder / f"c{index}.png"), np.clip(picture, 0, 255).astype(np.uint8))
        source = "east" if index % 4 < 2 else "west"
        lines.append(f"c{index}.png,image,,ct_classification,{source},CT,{label},g{index}\n")
    (folder / "manifest.csv").write_text("".join(lines))
    return folder


def _install(store: ModelStore, folder: Path, name: str, kind: str, **network: object) -> None:
    made = make_network(kind, network)
    save_file({k: v.contiguous() for k, v in made.half().state_dict().items()}, folder / "w")
    store.install(
        folder / "w",
        ModelRecord(
            name=name, version="0", kind=kind, architecture=name, network=network,
            size=96 if kind == "recognition" else 64, file="", sha256="", bytes=0, recipe="",
            recipe_sha256="", data="nothing", device="cpu", steps=0, seconds=0.0,
            split=Split((0, 2, 4), (3,), TRAINED if kind == "recognition" else (), VALIDATION),
        ),
    )  # fmt: skip


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    """A recogniser and shared streams of random weights."""
    folder = tmp_path_factory.mktemp("bare")
    store = ModelStore(folder / "store")
    torch.manual_seed(4)
    _install(store, folder, "recognition-ct", "recognition", heads={"covid-2": 2})
    _install(store, folder, "streams-shared", "streams", **STREAMS)
    return store


def _job(store: ModelStore, folder: Path) -> Job:
    return Job.begin(read_manifest(folder), store, SPLITS[:2], "cpu", None)


@pytest.fixture(scope="session")
def fitted(
    bare: ModelStore, ct_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> ModelStore:
    """The same with evidence."""
    folder = tmp_path_factory.mktemp("fitted") / "store"
    found = fit(_job(bare, ct_folder))
    store = ModelStore(folder)
    store.folder.mkdir()
    for path in bare.folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    store = ModelStore(folder)
    install(found, store)
    return ModelStore(folder)


def _toys(seed: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two logits that both know something, the truth, and groups of two."""
    chooser = np.random.default_rng(seed)
    truth = chooser.random(n) < 0.5
    margin = chooser.normal(0, 1, n) + np.where(truth, 0.7, -0.7)
    evidence = chooser.normal(0, 1, n) + np.where(truth, 1.0, -1.0)
    logits = np.stack([margin, evidence], axis=1)
    return logits, truth, np.array([f"g{i // 2}" for i in range(n)])


def test_the_join_finds_weights_and_never_turns_one_round() -> None:
    logits, truth, groups = _toys(0, 4000)
    join = fit_join(logits, truth, groups)
    # For normals of variance one the right weight is the distance of their means.
    assert join.weights == pytest.approx((1.4, 2.0), rel=0.1)
    assert join.bias == pytest.approx(0.0, abs=0.15)
    turned = fit_join(logits * [-1, 1], truth, groups)
    assert turned.weights[0] == 0.0
    assert turned.weights[1] == pytest.approx(2.0, rel=0.15)
    held = fit_join(logits, truth, groups, penalty=1.0)
    assert 0.0 < sum(held.weights) < sum(join.weights) / 2


def test_a_held_out_group_has_no_say_in_its_own_join() -> None:
    logits, truth, groups = _toys(1, 60)
    before = held_out_joins(logits, truth, groups)
    shared = fit_join(logits, truth, groups).logits(logits)
    assert not np.allclose(before, shared, atol=1e-3)
    few = slice(0, 8)
    np.testing.assert_allclose(
        held_out_joins(logits[few], truth[few], groups[few]),
        fit_join(logits[few], truth[few], groups[few]).logits(logits[few]),
    )


def test_the_regression_learns_and_dead_numbers_do_no_harm(ct_folder: Path) -> None:
    rows = read_manifest(ct_folder)
    truth = np.array([r.label == "covid19" for r in rows])
    chooser = np.random.default_rng(2)
    numbers = chooser.normal(0, 1, (len(rows), 12 + 2 * 3)).astype(np.float32)
    numbers[:, 12] += truth * 3.0  # the lesions know
    numbers[:, 17] = 0.0
    known = Described(rows, numbers, np.zeros((len(rows), 2), np.float32), truth)
    regression = fit_regression(known, "areas, lesions, whole picture", 0.1)
    assert np.isfinite(regression.logits(numbers)).all()
    assert np.abs(regression.weights).argmax() == 12
    assert not fit_regression(known, "areas, lesions", 0.1).weights[15:].any()
    assert len(columns("areas", 18)) == 12


def test_more_that_is_marked_never_speaks_against_covid_19(ct_folder: Path) -> None:
    rows = read_manifest(ct_folder)
    truth = np.array([r.label == "covid19" for r in rows])
    chooser = np.random.default_rng(2)
    numbers = np.zeros((len(rows), 12 + 2), np.float32)
    numbers[:, :12] = chooser.uniform(0.0, 0.01, (len(rows), 12))
    numbers[truth, 3] += 0.05  # ground glass
    numbers[~truth, 4] += 0.05  # consolidation, as of other pneumonias
    known = Described(rows, numbers, np.zeros((len(rows), 2), np.float32), truth)
    found = fit_extent(known)
    assert min(found.weights) >= 0.0
    assert found.weights[2] > 0.0
    assert found.weights[3] == 0.0
    said = found.logits(extents_of(numbers))
    assert said[truth].min() > said[~truth].max()


def test_settings_are_judged_on_held_out_groups_and_on_other_sources(ct_folder: Path) -> None:
    """The whole picture knows the answer inside each source, and its reverse in the other."""
    rows = read_manifest(ct_folder)
    truth = np.array([r.label == "covid19" for r in rows])
    east = np.array([r.source == "east" for r in rows])
    chooser = np.random.default_rng(3)
    numbers = chooser.normal(0, 1, (len(rows), 12 + 2)).astype(np.float32)
    numbers[:, 12] += truth * 3.0
    numbers[:, 13] += np.where(truth == east, 6.0, -6.0)
    known = Described(rows, numbers, np.zeros((len(rows), 2), np.float32), truth)
    streams = ModelRecord(
        name="s", version="", kind="streams", architecture="", network={}, size=64, file="",
        sha256="", bytes=0, recipe="", recipe_sha256="", data="", device="", steps=0, seconds=0.0,
        split=Split((), (), (), ()),
    )  # fmt: skip
    best = max(choose(known, known, streams), key=lambda one: one.worth)
    assert best.parts == "areas, lesions"
    assert best.elsewhere is not None
    assert best.elsewhere > 0.7


def test_groups_are_kept_apart_and_the_record_names_the_weights(
    bare: ModelStore, fitted: ModelStore, ct_folder: Path
) -> None:
    record = fitted.find("evidence")
    names = ("recognition-ct", "streams-shared")
    assert record.fitted_to == {n: bare.find(n).sha256 for n in names}
    assert record.split.trained_groups == tuple(sorted(TRAINED))
    assert record.split.validation_groups == VALIDATION
    assert record.data.startswith("30 pictures (east 16, west 14); joined on 24 pictures of 24")
    fitted.verify(record)
    again = fit(_job(bare, ct_folder))
    assert again.join == fit(_job(bare, ct_folder)).join, "nothing is random"
    text = card(record)
    assert "with other weights it is not used" in text
    assert "Temperature" not in text


def test_validation_groups_that_the_streams_know_are_refused(
    bare: ModelStore, ct_folder: Path, tmp_path: Path
) -> None:
    store = ModelStore(tmp_path)
    for path in bare.folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    streams = bare.find("streams-shared")
    knowing = replace(streams, split=replace(streams.split, trained_groups=VALIDATION[:1]))
    store.write([bare.find("recognition-ct"), knowing])
    with pytest.raises(BadInputError, match="trained on validation groups"):
        fit(_job(store, ct_folder))


def test_a_store_without_shared_streams_is_refused(bare: ModelStore, ct_folder: Path) -> None:
    store = ModelStore(bare.folder)
    store.records = (bare.find("recognition-ct"),)
    with pytest.raises(BadInputError, match="needs a recogniser and streams"):
        fit(_job(store, ct_folder))


def test_everything_is_scored_alone_and_joined(fitted: ModelStore, ct_folder: Path) -> None:
    job = _job(fitted, ct_folder)
    scores = recognition.score(job)
    assert list(scores) == ["recognition-ct", "evidence", "recognition-ct + evidence"]
    assert all(len(s.rows) == 30 for s in scores.values()), "trained-on groups are left out"
    found = {f.model for f in recognition.figures(job) if f.metric == "AUC"}
    assert found == set(scores)
    left_out = [f for f in evidence.figures(job) if f.split == LEFT_OUT and f.metric == "AUC"]
    assert {f.source for f in left_out} == {
        f"CT, {source}, {words}"
        for source in ("east", "west")
        for words in (
            *(f"fitted without it ({way})" for way in (*PARTS, evidence.EXTENT)),
            "marked area alone",
        )
    }  # fmt: skip
    assert {f.n for f in left_out} == {30}


def test_validation_pictures_are_joined_by_a_fit_to_other_groups(
    fitted: ModelStore, ct_folder: Path
) -> None:
    job = _job(fitted, ct_folder)
    record = fitted.find("evidence")
    (sample,) = samples_of(job, record)
    heard = evidence.heard_pictures(
        job, record, [r for r in job.rows if r.group not in TRAINED],
        [cv2.imread(str(r.path), 0) for r in job.rows if r.group not in TRAINED],
    )  # fmt: skip
    test = sample.splits == "test"
    np.testing.assert_allclose(sample.logits[test], heard.joined[test], atol=1e-5)
    assert not np.allclose(sample.logits[~test], heard.joined[~test], atol=1e-5)
    assert calibrate(job)["evidence"][0].sha256 == record.sha256


def test_stale_evidence_is_not_scored(fitted: ModelStore, ct_folder: Path) -> None:
    store = ModelStore(fitted.folder)
    stale = replace(
        fitted.find("evidence"), fitted_to={"recognition-ct": "0", "streams-shared": "1"}
    )
    store.records = tuple(stale if r.name == "evidence" else r for r in fitted.records)
    job = _job(store, ct_folder)
    assert list(recognition.score(job)) == ["recognition-ct"]
    assert samples_of(job, stale) == []
    assert evidence.figures(job) == []


def test_shortcuts_are_scored_for_the_joined_value(
    fitted: ModelStore, ct_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = np.zeros((64, 64), dtype=bool)
    half[:, 32:] = True
    monkeypatch.setattr(shortcuts, "ct_lungs", lambda picture: half)
    monkeypatch.setattr(shortcuts, "VARIANTS", ("lungs blacked out",))
    found = [f for f in shortcuts.figures(_job(fitted, ct_folder)) if f.metric == "AUC"]
    joined = {f.source for f in found if f.model == "recognition-ct + evidence"}
    assert any("lungs blacked out" in source for source in joined)


def test_a_source_left_out_is_judged_by_what_was_fitted_without_it(
    bare: ModelStore, ct_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = ModelStore(tmp_path / "own")
    own.folder.mkdir()
    recogniser = bare.find("recognition-ct")
    (own.folder / recogniser.file).write_bytes((bare.folder / recogniser.file).read_bytes())
    own.write([recogniser])
    sources: set[str] = set()
    rows = read_manifest(ct_folder)

    def watched(job: Job) -> Fitted:
        sources.update(r.source for r in job.rows)
        return fit(job)

    monkeypatch.setattr("inference.training.leaveout_joined.evidence.fit", watched)
    found = joined_figures(rows, "west", own, bare, "cpu")
    assert sources == {"east"}
    unseen = [r for r in rows if r.source == "west" and r.group not in TRAINED]
    assert {(f.source, f.split, f.n) for f in found} == {
        (f"COVID-19 of west v not COVID-19 of west{JOINED}", LEFT_OUT, len(unseen))
    }
    assert any(f.metric == "AUC" for f in found)
    healthy = [r for r in rows if r.source != "west" or r.label != "covid19"]
    assert joined_figures(healthy, "west", own, bare, "cpu") == [], "one class alone"
    assert joined_figures(rows, "west", own, own, "cpu") == [], "no streams"


def test_the_command_enters_the_evidence(
    bare: ModelStore, fitted: ModelStore, ct_folder: Path, tmp_path: Path
) -> None:
    for path in bare.folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)
    said = CliRunner().invoke(
        app, ["evidence", str(ct_folder), "--models", str(tmp_path), "--device", "cpu", "--enter"]
    )
    assert said.exit_code == 0, said.output
    assert "taken" in said.output
    entered = ModelStore(tmp_path).find("evidence")
    assert entered.sha256 == fitted.find("evidence").sha256, "the same data, the same weights"
