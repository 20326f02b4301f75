"""What is built, set up and promised: the files around the code agree with each other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

import inference
from inference.models import MAX_FILE_BYTES

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = ROOT / "Makefile"

needs_checkout = pytest.mark.skipif(
    not (ROOT / ".git").exists() or shutil.which("git") is None, reason="not a git checkout"
)


@pytest.fixture(scope="module")
def project() -> dict[str, object]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]


@pytest.fixture(scope="module")
def shipped() -> set[str]:
    """Paths inside the wheel, as its builder would write them."""
    files = WheelBuilder(str(ROOT)).recurse_included_files()
    return {Path(file.distribution_path).as_posix() for file in files}


def test_the_installed_version_is_the_source_s() -> None:
    assert metadata.version("secondread") == inference.__version__


def test_the_changelog_s_top_entry_is_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    entries = re.findall(r"^## \[([^\]]+)\]", text, flags=re.MULTILINE)
    released = [entry for entry in entries if entry != "Unreleased"]
    assert released[0] == inference.__version__


def test_the_command_can_be_loaded() -> None:
    (command,) = metadata.entry_points(group="console_scripts", name="secondread")
    assert callable(command.load())


def test_the_wheel_holds_every_file_of_the_three_packages(shipped: set[str]) -> None:
    present = {
        path.relative_to(ROOT).as_posix()
        for package in ("viewer", "inference", "resources")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert present <= shipped


def test_the_wheel_holds_the_resources_and_no_tests(shipped: set[str]) -> None:
    assert "resources/theme/tokens.json" in shipped
    assert "resources/presets.json" in shipped
    assert "inference/py.typed" in shipped
    assert "viewer/py.typed" in shipped
    assert {name.split("/")[0] for name in shipped} == {"viewer", "inference", "resources"}


def test_the_licence_files_named_in_the_metadata_exist(project: dict[str, object]) -> None:
    names = project["license-files"]
    assert isinstance(names, list)
    assert {"LICENSE", "NOTICE"} <= set(names)
    assert all((ROOT / name).is_file() for name in names)


def test_the_constraints_meet_no_index_and_leave_torch_to_the_machine() -> None:
    lines = (ROOT / "packaging/constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert pins
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins), "names and versions only"
    assert not [pin for pin in pins if re.match(r"(torch|nvidia|triton)", pin)]


def test_help_lists_every_public_target() -> None:
    text = MAKEFILE.read_text(encoding="utf-8")
    public = set(re.findall(r"^\.PHONY: ([a-z-]+)$", text, flags=re.MULTILINE)) - {"setup-run"}
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(re.findall(r"^  make ([a-z-]+)", listed.stdout, flags=re.MULTILINE)) == public
    assert {"setup", "run", "test", "lint"} <= public


def test_ci_calls_the_commands_that_the_readme_names() -> None:
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert script.rstrip().splitlines()[-1] == "exec make lint test"
    assert os.access(ROOT / ".ci/run", os.X_OK)
    tests = (ROOT / "README.md").read_text(encoding="utf-8").split("## Tests")[1]
    (command,) = re.findall(r"```sh\n(.*?)\n```", tests, flags=re.DOTALL)
    assert command == "make test"
    assert "`make lint`" in tests


@pytest.mark.parametrize("path", ["", '/some where/it\'s $HOME "quoted"; exit 3'])
def test_run_hands_a_path_over_as_it_is(tmp_path: Path, path: str) -> None:
    """`make run STUDY=...` survives spaces, quotes and dollars."""
    program = tmp_path / "secondread"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    # make itself reads a doubled dollar as one, wherever it comes from on its command line.
    given = [f"STUDY={path.replace('$', '$$')}"] if path else []
    result = subprocess.run(
        ["make", "--no-print-directory", "--old-file=setup-run", f"BIN={tmp_path}", "run", *given],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={key: value for key, value in os.environ.items() if key != "STUDY"},
    )
    expected = ["open", path, "--analyse"] if path else ["open", "--sample"]
    assert result.stdout.splitlines() == expected


@needs_checkout
def test_no_tracked_file_is_too_big() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    big = [p.name for p in paths if p.is_file() and p.stat().st_size > MAX_FILE_BYTES]
    assert not big


def test_packaging_shadows_no_library() -> None:
    """A package of that name here would hide the library `packaging` from everything."""
    assert not (ROOT / "packaging" / "__init__.py").exists()


def test_links_in_the_documents_lead_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{document.name}: {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
        if "://" not in target and not (document.parent / target).exists()
    ]
    assert not broken
