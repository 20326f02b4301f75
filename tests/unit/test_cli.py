"""The command line's ends: exit statuses, one sentence each, no traceback, a quick start."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from inference import __version__, faults, sample
from inference.cli import run
from inference.errors import AnalysisError, BadInputError, CancelledError
from inference.studies import scan


def _program(error: BaseException | None) -> typer.Typer:
    """A program of one command that ends in a certain way."""
    app = typer.Typer()

    @app.command()
    def only() -> None:
        if error is not None:
            raise error

    return app


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (None, 0, ""),
        (BadInputError("The folder is empty."), 2, "The folder is empty."),
        (AnalysisError("The model is damaged."), 1, "The model is damaged."),
        (CancelledError(), 1, "Cancelled."),
        (KeyboardInterrupt(), 130, None),
        (typer.Exit(3), 3, ""),
    ],
)
def test_how_commands_end(
    error: BaseException | None, status: int, said: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([], _program(error)) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said is None or captured.err.strip() == said
    assert "Traceback" not in captured.err


def test_an_unforeseen_fault_is_a_sentence_and_a_log_without_identifiers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(faults, "user_log_path", lambda *a, **k: tmp_path / "log")
    assert run([], _program(ZeroDivisionError("Doe^Jane"))) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "ZeroDivisionError" in said
    assert str(faults.log_file()) in said
    log = faults.log_file().read_text("utf-8")
    assert "test_cli.py" in log
    assert "Doe" not in said + log


def test_a_log_that_cannot_be_written_is_no_second_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(faults, "user_log_path", lambda *a, **k: tmp_path / "file" / "log")
    assert run([], _program(ZeroDivisionError())) == 1
    assert capsys.readouterr().err.strip().endswith("(ZeroDivisionError).")


def test_the_log_does_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "user_log_path", lambda *a, **k: tmp_path)
    faults.log_file().write_text("x" * 600_000)
    faults.record(ValueError(), "Testing")
    assert faults.log_file().stat().st_size < 1000


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["analyse"], ["analyse", "x"], ["analyse", "x", "--out", "o", "--streams", "y"]],
)
def test_wrong_commands(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert "Usage" in capsys.readouterr().err


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"secondread {__version__}"
    assert run(["--help"]) == 0
    said = capsys.readouterr().out
    for command in ("analyse", "export", "sample", "train", "evaluate", "models"):
        assert command in said
        assert run([command, "--help"]) == 0


def test_help_does_not_load_what_it_does_not_need() -> None:
    code = (
        "import sys, inference.cli; inference.cli.run(['--help']); "
        "heavy = {'torch', 'numpy', 'pydicom', 'SimpleITK', 'cv2'} & set(sys.modules); "
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def bad(tmp_path: Path) -> dict[str, Path]:
    """The kinds of input that have to be refused."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.dcm").write_text("I am not an image.\n" * 50)
    (tmp_path / "cut.dcm").write_bytes(bytes(128) + b"DICM\x02\x00\x00\x00UL")
    return {
        "empty": tmp_path / "empty",
        "text": tmp_path / "text.dcm",
        "cut": tmp_path / "cut.dcm",
        "missing": tmp_path / "missing",
    }


@pytest.mark.parametrize("kind", ["empty", "text", "cut", "missing"])
def test_bad_input_is_a_sentence_and_status_2(
    bad: dict[str, Path], kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(["analyse", str(bad[kind]), "--out", str(out)]) == 2
    said = capsys.readouterr().err.strip()
    assert said.endswith(".")
    assert "\n" not in said
    assert "Traceback" not in said
    assert not out.exists()


def test_sample_prints_the_folder_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    built: list[Path] = []
    monkeypatch.setattr(sample, "build", lambda out, progress: built.append(out) or out)
    monkeypatch.setattr(sample, "ensure", lambda progress: tmp_path / "cached")
    assert run(["sample", "--out", str(tmp_path / "here")]) == 0
    assert run(["sample"]) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "here"), str(tmp_path / "cached")]
    assert built == [tmp_path / "here"]


def test_a_full_disk_in_the_middle_of_things_is_still_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(out: Path, progress: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(faults, "user_log_path", lambda *a, **k: tmp_path / "log")
    monkeypatch.setattr(sample, "build", full)
    assert run(["sample", "--out", str(tmp_path / "here")]) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert faults.log_file().read_text("utf-8").count("OSError") == 1


def test_the_index_says_how_much_it_holds_and_can_be_cleared(
    write_ct: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = write_ct()
    for path in folder.iterdir():
        os.utime(path, (1e9, 1e9))
    scan(folder)
    assert run(["index"]) == 0
    assert "12 files in 1 folders" in capsys.readouterr().out
    assert run(["index", "--clear"]) == 0
    assert run(["index"]) == 0
    out = capsys.readouterr().out
    assert "The index is empty." in out
    assert "0 files in 0 folders" in out
