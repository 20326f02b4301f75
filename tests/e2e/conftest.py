"""What every end-to-end test gets: no findings of another test, and no question at its end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from viewer.collecting import collecting


@pytest.fixture(autouse=True)
def _collected(qapp: QApplication) -> Iterator[None]:
    """Collect on the window's thread alone, as the program does."""
    with collecting(qapp):
        yield


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep findings in a folder of the test's own, and let a window close whatever it is doing."""
    monkeypatch.setattr("inference.export.kept.default_folder", lambda: tmp_path / "kept-findings")
    monkeypatch.setattr("viewer.closing.ask_to_close", lambda *_: True)
    # A program without a screen says so in the environment; the next test has one again.
    monkeypatch.setitem(os.environ, "QT_QPA_PLATFORM", os.environ.get("QT_QPA_PLATFORM", ""))
