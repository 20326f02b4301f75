"""What a library brings along is not looked through for garbage."""

from __future__ import annotations

import gc
import importlib
import os
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from viewer import libraries


class Thing:
    """Something that can be watched."""


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    gc.collect()
    yield
    gc.unfreeze()
    gc.enable()


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Write a module that makes many things, and tells whether garbage was searched for then."""
    name = "a_library_of_the_test"
    (tmp_path / f"{name}.py").write_text(
        "import gc\nSEARCHING = gc.isenabled()\nTHINGS = [[n] for n in range(1000)]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


def _circle() -> weakref.ref[Thing]:
    thing = Thing()
    thing.__dict__["itself"] = thing
    return weakref.ref(thing)


def test_its_things_are_left_out(library: str) -> None:
    with libraries.loading(library):
        module = importlib.import_module(library)
    assert not module.SEARCHING
    assert gc.isenabled()
    among = {id(thing) for thing in gc.get_objects()}
    assert not among & {id(thing) for thing in module.THINGS}


def test_what_comes_later_is_looked_through(library: str) -> None:
    with libraries.loading(library):
        importlib.import_module(library)
    circle = _circle()
    assert circle() is not None
    gc.collect()
    assert circle() is None


def test_a_library_that_is_there_changes_nothing(library: str) -> None:
    importlib.import_module(library)
    before = gc.get_freeze_count()
    with libraries.loading(library):
        assert gc.isenabled()
    assert gc.get_freeze_count() == before


def test_one_that_cannot_be_loaded_leaves_the_search_on() -> None:
    with (
        pytest.raises(ModuleNotFoundError),
        libraries.loading("no_such_library"),
    ):
        importlib.import_module("no_such_library")
    assert gc.isenabled()


def test_where_it_was_off_it_stays_off(library: str) -> None:
    gc.disable()
    with libraries.loading(library):
        importlib.import_module(library)
    assert not gc.isenabled()


posix = pytest.mark.skipif(os.name != "posix", reason="only there the loader can be called")


class TestCompiledCode:
    """The system's loader is called by itself."""

    @posix
    @pytest.mark.parametrize("package", ["torch", "SimpleITK"])
    def test_it_is_in_memory_before_the_import(self, package: str) -> None:
        text = (
            "import sys\nfrom pathlib import Path\nfrom viewer.libraries import bring_in\n"
            f"files = bring_in({package!r})\n"
            f"assert files and {package!r} not in sys.modules\n"
            "maps = Path('/proc/self/maps')\n"
            "text = maps.read_text() if maps.exists() else str(files)\n"
            "assert all(file.name in text for file in files), files\n"
            f"import {package}\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", text], capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr

    def test_what_is_imported_is_left_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "torch", sys)
        assert libraries.bring_in("torch") == ()

    def test_what_is_not_installed_is_passed_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(libraries._HEAVY, "no_such_package", ("*.so",))
        assert libraries.bring_in("no_such_package") == ()

    def test_what_the_system_does_not_take_is_passed_over(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        package = tmp_path / "a_broken_package"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "code.so").write_bytes(b"no code")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setitem(libraries._HEAVY, "a_broken_package", ("*.so",))
        assert libraries.bring_in("a_broken_package") == ()


class TestPreparing:
    """Before the window's modules are imported."""

    @pytest.mark.parametrize(
        ("prepared", "kept"), [("libraries.prepare()", False), ("import PySide6.QtCore", True)]
    )
    def test_sources_are_not_read(self, tmp_path: Path, prepared: str, kept: bool) -> None:
        (tmp_path / "a_module.py").write_text("NUMBER = 3\n")
        text = (
            "import linecache, sys\nfrom viewer import libraries\n"
            f"{prepared}\n"
            f"sys.path.insert(0, {str(tmp_path)!r})\n"
            "import a_module\n"
            "print(any(name.endswith('a_module.py') for name in linecache.cache))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stdout.strip() == str(kept)

    def test_another_release_may_keep_it_elsewhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = sys.getswitchinterval()
        monkeypatch.setitem(sys.modules, "shibokensupport.feature", SimpleNamespace())
        try:
            sys.setswitchinterval(0.005)
            libraries.prepare()
            assert sys.getswitchinterval() < 0.005
        finally:
            sys.setswitchinterval(before)
