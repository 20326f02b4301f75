"""``secondread open``: what it opens, what it writes where there is no screen, and its status."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QImage

from inference import cli
from inference.errors import AnalysisError
from viewer import app
from viewer.command import has_no_screen, with_open


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

    def test_the_sample_comes_analysed_and_the_second_time_at_once(
        self,
        secondread: Callable[..., int],
        windows: list[Any],
        with_system: Any,
        write_ct: Callable[..., Path],
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        folder = write_ct()
        monkeypatch.setattr("inference.sample.ensure", lambda _progress: folder)
        assert secondread("--sample") == 0
        assert secondread("open", "--sample") == 0
        assert len(with_system.contexts) == 1
        first, second = (settings["findings"] for _, settings in windows)
        assert second is not first
        assert second.created == first.created
        assert [s.volume_ml for s in second.segments] == [s.volume_ml for s in first.segments]
        assert (second.segments[0].mask == first.segments[0].mask).all()

    def test_other_weights_analyse_the_sample_anew(
        self,
        secondread: Callable[..., int],
        windows: list[Any],
        with_system: Any,
        write_ct: Callable[..., Path],
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        folder = write_ct()
        monkeypatch.setattr("inference.sample.ensure", lambda _progress: folder)
        assert secondread("--sample") == 0

        class OtherStore:
            records = ()

        monkeypatch.setattr("inference.models.ModelStore", OtherStore)
        assert secondread("--sample", "--device", "cpu") == 0
        assert len(with_system.contexts) == 2


class TestWithoutScreen:
    """The same job, written to a folder."""

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
