"""Teaching mode: nothing on the screen tells whose images they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QModelIndex, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractItemView, QWidget

from inference.findings import Findings
from inference.studies.model import Problem, Study, Volume
from viewer.window import MainWindow

PRIVATE = ("Doe", "Jane", "ID-77", "2020-03-12", "Mrs Doe", "Thorax of", "scan-doe")
ROLES = (
    Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole,
    Qt.ItemDataRole.AccessibleDescriptionRole, Qt.ItemDataRole.StatusTipRole,
)  # fmt: skip


def texts_of(widget: QWidget) -> Iterator[str]:
    """Give every text that a widget shows, or tells a screen reader."""
    for getter in (
        "text", "toPlainText", "toHtml", "title", "placeholderText", "windowTitle", "toolTip",
        "statusTip", "whatsThis", "accessibleName", "accessibleDescription", "currentText",
    ):  # fmt: skip
        method = getattr(widget, getter, None)
        if callable(method):
            yield str(method())
    if isinstance(widget, QAbstractItemView) and widget.model() is not None:
        yield from _items(widget, QModelIndex())


def _items(view: QAbstractItemView, parent: QModelIndex) -> Iterator[str]:
    model = view.model()
    for row in range(model.rowCount(parent)):
        for column in range(model.columnCount(parent)):
            index = model.index(row, column, parent)
            yield from (str(model.data(index, role)) for role in ROLES)
            yield from _items(view, index)


def everything(window: MainWindow) -> list[str]:
    """Give every text in the window."""
    # What was replaced leaves with the next turn of the loop.
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    found = [text for each in (window, *window.findChildren(QWidget)) for text in texts_of(each)]
    for action in window.findChildren(QAction):
        found += [action.text(), action.toolTip(), action.statusTip()]
    written = window.view.annotations()
    corners = (written.whose, written.acquired, written.top_left, written.bottom_right)
    found += [line.text for corner in corners for line in corner]
    return found


def told(window: MainWindow) -> set[str]:
    """Give what of the private words is told anywhere."""
    texts = "\n".join(everything(window)).casefold()
    # "does" is no name.
    return {word for word in PRIVATE if re.search(rf"\b{re.escape(word.casefold())}\b", texts)}


@pytest.fixture
def private_study(
    window: MainWindow, make_study: Callable[..., Study], make_volume: Callable[..., Volume],
    make_findings: Callable[..., Findings],
) -> MainWindow:  # fmt: skip
    """Show a study that tells of its patient wherever it can."""
    doubt = Problem("cut-off", "The header of “scan-doe.dcm” of Jane DOE is cut off.")
    study = make_study("1.2.3", "1.2.4")
    series = tuple(
        replace(each, description=f"Thorax of Mrs Doe {number}", problems=(doubt,))
        for number, each in enumerate(study.series)
    )
    study = replace(study, description="Follow-up of Doe", series=series, problems=(doubt,))
    volume = make_volume("1.2.3", problems=(doubt,))
    window.session.add_studies((study,))
    window.session.set_volume(study, series[0], volume)
    window.session.set_findings(make_findings(volume, notes=("“scan-doe.dcm” was left out.",)))
    window.session.post("warning", "“/data/scan-doe.dcm” of Doe, Jane could not be read.")
    return window


def test_everything_private_is_told_at_first(private_study: MainWindow) -> None:
    assert told(private_study) == set(PRIVATE), "otherwise the next tests would show nothing"


def test_one_key_hides_it_all_and_brings_it_back(qtbot: Any, private_study: MainWindow) -> None:
    window = private_study
    qtbot.waitUntil(window.isActiveWindow, timeout=20_000)
    qtbot.keyClick(window, Qt.Key.Key_F8)
    assert told(window) == set()
    assert window.actions_["hide-names"].isChecked()
    assert window.status.hidden.isVisible()
    assert window.status.hidden.text() == "Names hidden"
    assert "names hidden" in window.view.annotations().whose[0].text
    qtbot.keyClick(window, Qt.Key.Key_F8)
    assert told(window) == set(PRIVATE)
    assert not window.status.hidden.isVisible()


def test_what_comes_later_is_hidden_too(
    qtbot: Any, private_study: MainWindow, make_volume: Callable[..., Volume]
) -> None:
    window = private_study
    window.session.manner.toggle_names()
    study = replace(window.session.studies[0], uid="9.9", patient_name="Roe^Richard")
    window.session.add_studies((study,))
    window.session.set_volume(study, study.series[1], make_volume("1.2.4"))
    window.session.post("error", "“roe.dcm” of Richard ROE is damaged.")
    texts = "\n".join(everything(window))
    assert "Roe" not in texts
    assert "ROE" not in texts
    assert told(window) == set()
    tree = window.tree.tree
    assert [tree.topLevelItem(i).text(0) for i in range(2)] == ["Patient 1", "Patient 2"]


def test_pictures_that_are_exported_tell_nobody(private_study: MainWindow) -> None:
    window = private_study
    session = window.session
    session.manner.toggle_names()
    hidden = window.picture()
    assert session.study is not None
    assert session.series is not None
    assert session.volume is not None
    other = replace(session.study, patient_name="Roe", description="Something else")
    series = replace(session.series, description="Another")
    position = session.position
    findings = session.findings
    session.set_volume(other, series, session.volume)
    assert findings is not None
    session.set_findings(findings)
    session.set_position(position)
    assert window.picture() == hidden
    session.manner.toggle_names()
    assert window.picture() != hidden
