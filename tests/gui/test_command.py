"""``secondread open``: what it opens, what it writes where there is no screen, and its status."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QImage, QImageWriter
from PySide6.QtWidgets import QApplication

from inference import cli
from inference.errors import AnalysisError
from tests.gui.test_teaching import everything
from viewer import app
from viewer.command import has_no_screen, with_open
from viewer.window import MainWindow


@pytest.fixture
def secondread(qapp: Any) -> Callable[..., int]:
    """Give the program: it takes arguments and returns its exit status."""

    def run(*arguments: object) -> int:
        return cli.run(with_open([str(argument) for argument in arguments]))

    return run


@pytest.fixture
def with_system(monkeypatch: pytest.MonkeyPatch, fake_system: Any) -> Any:
    """Have the program analyse with the system of the test."""
    monkeypatch.setattr("inference.systems.get_system", lambda _name: fake_system)
    return fake_system


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, dict[str, Any]]]:
    """Note what windows would be opened with, on a machine that has a screen."""
    asked: list[tuple[Any, dict[str, Any]]] = []

    def run(path: Path | None = None, **settings: Any) -> int:
        asked.append((path, settings))
        return 0

    monkeypatch.setattr(app, "run", run)
    monkeypatch.setattr("viewer.command.has_no_screen", lambda: False)
    return asked


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ["open"]),
        (["scan.dcm"], ["open", "scan.dcm"]),
        (["--sample"], ["open", "--sample"]),
        (["open", "scan.dcm"], ["open", "scan.dcm"]),
        (["models", "list"], ["models", "list"]),
        (["analyse", "x", "--out", "y"], ["analyse", "x", "--out", "y"]),
        (["./analyse"], ["open", "./analyse"]),
        (["--version"], ["--version"]),
        (["-h"], ["-h"]),
    ],
)
def test_a_path_alone_means_open(arguments: list[str], expected: list[str]) -> None:
    assert with_open(arguments) == expected


def test_help_says_what_happens_without_a_screen(
    secondread: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert secondread("open", "--help") == 0
    said = capsys.readouterr().out
    for word in ("--sample", "--analyse", "--offscreen", "window.png"):
        assert word in said


class TestWithScreen:
    """The window opens, and reads what it was given by itself."""

    def test_a_path_is_left_to_the_window(
        self, secondread: Callable[..., int], windows: list[Any], write_ct: Callable[..., Path]
    ) -> None:
        folder = write_ct()
        assert secondread(folder, "--analyse", "--device", "cpu") == 0
        ((path, settings),) = windows
        assert path == folder
        assert settings["analyse"] is True
        assert settings["context"].device == "cpu"

    def test_nothing_opens_an_empty_window(
        self, secondread: Callable[..., int], windows: list[Any]
    ) -> None:
        assert secondread() == 0
        assert windows[0][0] is None

    def test_the_sample_is_left_to_the_window(
        self, secondread: Callable[..., int], windows: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def made(_progress: object) -> Path:
            raise AssertionError("no window is there yet")

        monkeypatch.setattr("inference.sample.ensure", made)
        assert secondread("--sample", "--analyse") == 0
        ((path, settings),) = windows
        assert path is None
        assert settings["sample"]().parent.name == "findings"

    def test_other_weights_have_other_findings_of_the_sample(
        self, secondread: Callable[..., int], windows: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert secondread("--sample") == 0
        folder = windows[0][1]["sample"]()
        assert secondread("--sample") == 0
        assert windows[1][1]["sample"]() == folder

        class OtherStore:
            records = ()

        monkeypatch.setattr("inference.models.ModelStore", OtherStore)
        assert secondread("--sample") == 0
        assert windows[2][1]["sample"]() != folder


def test_the_picture_tells_the_patient_only_when_asked_to(
    secondread: Callable[..., int],
    with_system: Any,
    write_ct: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The window and findings.json by the same rule; of the window every text is asked."""
    seen: list[str] = []
    write = app.write_picture

    def look(picture: QImage, path: Path) -> None:
        (window,) = (w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))
        seen[:] = everything(window)
        write(picture, path)

    monkeypatch.setattr(app, "write_picture", look)
    folder, out = write_ct("scan-doe"), tmp_path / "out"
    arguments = ("open", folder, "--analyse", "--offscreen", "--out", out)
    for asked in ((), ("--identity",)):
        assert secondread(*arguments, *asked) == 0
        texts = " ".join(seen)
        for private in ("Doe", "Jane", "ID-77", "2020-03-12"):
            assert (private in texts) == bool(asked), private
        for private in ("Doe^Jane", "ID-77", "20200312"):
            assert (private in (out / "findings.json").read_text("utf-8")) == bool(asked), private


class TestWithoutScreen:
    """The same job, written to a folder."""

    def test_the_sample_comes_analysed_and_the_second_time_at_once(
        self,
        secondread: Callable[..., int],
        with_system: Any,
        write_ct: Callable[..., Path],
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        folder = write_ct()
        monkeypatch.setattr("inference.sample.ensure", lambda _progress: folder)
        written = []
        for name in ("one", "two"):
            assert secondread("--sample", "--offscreen", "--out", tmp_path / name) == 0
            written.append(json.loads((tmp_path / name / "findings.json").read_text()))
        assert len(with_system.contexts) == 1
        assert written[0]["created"] == written[1]["created"]
        assert written[0]["segments"] == written[1]["segments"]

    def test_other_weights_analyse_the_sample_anew(
        self,
        secondread: Callable[..., int],
        with_system: Any,
        write_ct: Callable[..., Path],
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        folder = write_ct()
        monkeypatch.setattr("inference.sample.ensure", lambda _progress: folder)
        out = ("--offscreen", "--out", tmp_path / "out")
        assert secondread("--sample", *out) == 0

        class OtherStore:
            records = ()

        monkeypatch.setattr("inference.models.ModelStore", OtherStore)
        assert secondread("--sample", "--device", "cpu", *out) == 0
        assert len(with_system.contexts) == 2

    def test_everything_that_the_window_would_show_is_written(
        self,
        secondread: Callable[..., int],
        with_system: Any,
        write_ct: Callable[..., Path],
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        out = tmp_path / "out"
        assert secondread("open", write_ct(), "--analyse", "--offscreen", "--out", out) == 0
        said = capsys.readouterr().out
        assert f"No window was opened; {out}" in said
        for name in ("findings.json", "labels.nii.gz", "seg.dcm", "window.png"):
            assert (out / name).stat().st_size > 100
            assert f"Written: {out / name}" in said
        assert json.loads((out / "findings.json").read_text())["system"]
        assert QImage(str(out / "window.png")).width() >= 1400

    def test_without_analysis_there_is_a_picture_and_nothing_else(
        self,
        secondread: Callable[..., int],
        with_system: Any,
        write_ct: Callable[..., Path],
        tmp_path: Path,
    ) -> None:
        out = tmp_path / "out"
        assert secondread(write_ct(), "--offscreen", "--out", out) == 0
        assert [path.name for path in out.iterdir()] == ["window.png"]
        assert with_system.contexts == []

    def test_a_failure_leaves_the_earlier_results(
        self,
        secondread: Callable[..., int],
        with_system: Any,
        write_ct: Callable[..., Path],
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """The picture comes last: what was written before it is not taken either."""
        folder, out = write_ct(), tmp_path / "out"
        arguments = ("open", folder, "--analyse", "--offscreen", "--out", out)
        assert secondread(*arguments) == 0
        before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
        assert '"window.png"' in (out / "complete.json").read_text()
        monkeypatch.setattr(QImageWriter, "write", lambda *_: False)
        assert secondread(*arguments) == 1
        assert "window.png could not be written" in capsys.readouterr().err
        assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before

    def test_a_failed_analysis_leaves_nothing(
        self,
        secondread: Callable[..., int],
        with_system: Any,
        failing: AnalysisError,
        write_ct: Callable[..., Path],
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        with_system.error = failing
        out = tmp_path / "out"
        assert secondread(write_ct(), "--analyse", "--offscreen", "--out", out) == 1
        assert capsys.readouterr().err.strip() == str(failing)
        assert not out.exists()

    @pytest.mark.parametrize(
        "arguments",
        [
            ("--offscreen",),
            ("missing-folder",),
            ("--sample", "."),
            (".", "--system", "nobody"),
            ("empty", "--offscreen"),
        ],
    )
    def test_wrong_input_is_a_sentence_and_status_2(
        self,
        secondread: Callable[..., int],
        arguments: tuple[str, ...],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "empty").mkdir()
        assert secondread(*arguments) == 2
        said = capsys.readouterr()
        assert said.err.strip().endswith(".")
        assert "Traceback" not in said.err + said.out
        assert not (tmp_path / "out").exists()

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays of Linux")
    @pytest.mark.parametrize(
        ("environment", "expected"),
        [
            ({}, True),
            ({"DISPLAY": ":0"}, False),
            ({"WAYLAND_DISPLAY": "wayland-0"}, False),
            ({"DISPLAY": ":0", "QT_QPA_PLATFORM": "offscreen"}, True),
            ({"QT_QPA_PLATFORM": "xcb"}, False),
        ],
    )
    def test_whether_there_is_a_screen(
        self, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: bool
    ) -> None:
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert has_no_screen() is expected
