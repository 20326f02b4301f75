"""The rendering process is started, outlived and ended."""

from __future__ import annotations

import sys
import time

import pytest
from PySide6.QtCore import Qt

from viewer.volume3d import link as link_module
from viewer.volume3d.link import DIED, Link
from viewer.volume3d.process import NO_OPENGL
from viewer.volume3d.wire import Failed, Hello

WAIT_MS = 60_000

FRAGILE = """
import os
from viewer.volume3d.wire import Hello, put, take

def serve(pipe, may_use_gpu):
    put(pipe, Hello(may_use_gpu, "card"))
    if may_use_gpu:
        os._exit(1)
    take(pipe)
    os._exit(1)
"""


EXPLAINED = """
from viewer.volume3d.wire import Failed, Hello, put, take

def serve(pipe, may_use_gpu):
    put(pipe, Hello(True, "card"))
    take(pipe)
    put(pipe, Failed("There is not enough memory."))
"""


@pytest.fixture
def linked(qapp):
    """Start a link that is closed in the end; returns it and what it hears."""
    made = []

    def start(**settings) -> tuple[Link, list[object]]:
        link, heard = Link(**settings), []
        link.heard.connect(heard.append, Qt.ConnectionType.QueuedConnection)
        made.append(link)
        return link, heard

    yield start
    for link in made:
        link.close()


def test_a_card_that_fails_is_done_without(qtbot, linked, monkeypatch, tmp_path):
    (tmp_path / "fragile_3d.py").write_text(FRAGILE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    import fragile_3d

    monkeypatch.setattr(link_module, "serve", fragile_3d.serve)
    link, heard = linked()
    qtbot.waitUntil(lambda: len(heard) == 2, timeout=WAIT_MS)
    assert heard == [Hello(True, "card"), Hello(False, "card")]
    link.send("anything")
    qtbot.waitUntil(lambda: len(heard) == 3, timeout=WAIT_MS)
    assert heard[2] == Failed(DIED)


def test_a_reason_to_end_is_told_and_nothing_is_tried_again(qtbot, linked, monkeypatch, tmp_path):
    (tmp_path / "explained_3d.py").write_text(EXPLAINED, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    import explained_3d

    monkeypatch.setattr(link_module, "serve", explained_3d.serve)
    link, heard = linked()
    link.send("anything")
    qtbot.waitUntil(lambda: len(heard) == 2, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not link.alive, timeout=WAIT_MS)
    qtbot.wait(50)
    assert heard == [Hello(True, "card"), Failed("There is not enough memory.")]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="EGL is Linux's")
def test_without_opengl_it_is_said_in_a_sentence(qtbot, linked, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("__EGL_VENDOR_LIBRARY_FILENAMES", "/nowhere")
    _, heard = linked()
    qtbot.waitUntil(lambda: bool(heard), timeout=WAIT_MS)
    assert heard == [Failed(NO_OPENGL)]


def test_closing_does_not_wait_for_the_process_to_be_ready(linked):
    link, _ = linked()
    began = time.monotonic()
    link.close()
    link.close()
    assert time.monotonic() - began < 2.0
