"""Every command, by its key, in the real window: something is to be seen of each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QSettings, Qt, QTimer
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog

from tests.gui.command_rows import ROWS, Hand, Row
from tests.gui.conftest import FakeVolumePane
from viewer import theme
from viewer.settings import Settings
from viewer.window import MainWindow

WHERE = "ROWS in tests/gui/command_rows.py"


@pytest.fixture(autouse=True)
def _no_leaks(qapp: QApplication) -> None:
    """The window stays for all rows, and its threads with it; `kept` watches over them."""
    theme.apply(qapp)


@pytest.fixture(scope="module")
def kept(
    qapp: QApplication, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[MainWindow, SimpleNamespace]]:
    """One window for all rows, which costs a third of a second to make, and its system."""
    folder = tmp_path_factory.mktemp("table")
    settings = Settings(QSettings(str(folder / "s.ini"), QSettings.Format.IniFormat))
    settings.set_notice_read()
    theme.apply(qapp)
    threads = set(threading.enumerate())
    now = SimpleNamespace(system=None)

    class _TheSystem:
        """That of the test that runs."""

        def __getattr__(self, name: str) -> Any:
            return getattr(now.system, name)

    with pytest.MonkeyPatch.context() as patch:
        # The real one is in `tests.gui.test_window_3d`: it starts a process.
        patch.setattr("viewer.window._volume_pane", FakeVolumePane)
        window = MainWindow(_TheSystem, settings, measurements=folder / "measurements")
    window.resize(1100, 700)
    yield window, now
    window.close()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert set(threading.enumerate()) <= threads, "threads left"


@pytest.fixture
def hand(
    request: pytest.FixtureRequest, qtbot: Any, kept: tuple[MainWindow, SimpleNamespace],
    fake_system: Any, make_study: Any, make_volume: Any, make_findings: Any, write_ct: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Hand]:  # fmt: skip
    """The window, and an eye on its modal dialogs."""
    window, now = kept
    if getattr(request, "param", False):
        window = request.getfixturevalue("make_window")()
    now.system = fake_system
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=20_000)
    hand = Hand(
        qtbot, window, fake_system, make_study, make_volume, make_findings, write_ct, monkeypatch
    )
    native = QApplication.testAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, QDialog):
            hand.asked.append(dialog.windowTitle())
            dialog.reject()

    watch = QTimer()
    watch.timeout.connect(look)
    watch.start(10)
    yield hand
    watch.stop()
    fake_system.go.set()
    window.cancel()
    qtbot.waitUntil(lambda: not window.busy, timeout=20_000)
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, native)


def sees(hand: Hand, row: Row, wanted: object) -> None:
    """Wait until it is to be seen."""

    def check() -> None:
        assert row.see(hand) == wanted

    hand.qtbot.waitUntil(check, timeout=20_000)


def from_menu(window: MainWindow, command: str) -> Callable[[], None]:
    """Find the entry in the menu bar."""
    (entry,) = [
        action
        for menu in window.menuBar().actions()
        for action in menu.menu().actions()
        if action.objectName() == command
    ]
    return entry.trigger


CASES = [(row.last, id_, key) for id_, row in ROWS.items() for key in row.presses]


@pytest.mark.parametrize(
    ("hand", "command", "key"),
    CASES,
    ids=[f"{id_}-{key or 'menu'}" for _, id_, key in CASES],
    indirect=["hand"],
)
def test_the_key_does_what_the_command_says(hand: Hand, command: str, key: str) -> None:
    row = ROWS[command]
    if command not in {each.id for each in hand.window.actions_.commands}:
        pytest.fail(f"there is no command {command}: take it out of {WHERE}")
    hand.afresh(CASES.index((row.last, command, key)))
    row.given(hand)
    sees(hand, row, row.before)
    for wanted in (row.after, *row.then):
        hand.asked.clear()
        assert hand.window.actions_[command].isEnabled()
        if key:
            QTest.keySequence(hand.window, QKeySequence(key))
        else:
            from_menu(hand.window, command)()
        sees(hand, row, wanted)


def test_every_command_has_a_row_and_the_keys_that_it_declares(hand: Hand) -> None:
    declared = {each.id: each.keys for each in hand.window.actions_.commands}
    missing = sorted(set(declared) - set(ROWS))
    assert not missing, f"no row says what {', '.join(missing)} does: add a line to {WHERE}"
    in_table = {id_: tuple(key for key in row.presses if key) for id_, row in ROWS.items()}
    assert in_table == declared, f"other keys than in {WHERE}"
