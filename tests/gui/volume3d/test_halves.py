"""The bar below a 3D pane folds, so that the pane may be narrow."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QPushButton

from viewer.volume3d.halves import Halves


def test_it_folds_where_both_groups_have_no_room(qtbot: Any) -> None:
    buttons = [QPushButton(f"Button {number}") for number in range(6)]
    bar = Halves(buttons[:3], buttons[3:])
    qtbot.addWidget(bar)
    bar.show()
    bar.resize(2000, 60)
    assert not bar.folded
    qtbot.waitUntil(lambda: buttons[3].y() == buttons[0].y())
    assert buttons[3].x() > buttons[2].geometry().right()
    least = bar.minimumWidth()
    assert least < sum(button.minimumSizeHint().width() for button in buttons)
    bar.resize(least, 100)
    assert bar.folded
    qtbot.waitUntil(lambda: buttons[3].y() > buttons[0].geometry().bottom())
    assert all(button.geometry().right() <= bar.width() for button in buttons)
