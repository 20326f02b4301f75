"""The panels beside the images: hidden and shown, and their tabs by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QFrame,
    QMainWindow,
    QScrollArea,
    QSplitter,
    QTabWidget,
    QToolButton,
    QWidget,
)

if TYPE_CHECKING:
    from viewer.manner import Manner

__all__ = ["SidePanels", "tabs_of"]

_ROOMY = 1100
"""Logical pixels of a window from which its sides may be as wide as they like."""
_LEAST_SHARE = 0.5
"""Of a narrower window's width, which the images have at least."""
_ROOMY_WIDTHS = {"studies": 210, "findings": 340}
"""How wide the sides are when a window has become roomy again."""
_NARROW = {"studies": 164, "findings": 260}
"""How wide the sides then are at most."""
_HIDDEN_BELOW = {"studies": 1000, "findings": 760}
"""In a window narrower than this a side makes way for the images, until the reader asks for it."""


def tabs_of(pages: Mapping[str, QWidget]) -> QTabWidget:
    """Put pages behind tabs with these titles."""
    box = QTabWidget()
    for title, page in pages.items():
        box.addTab(page if isinstance(page, QAbstractScrollArea) else _scrolled(page), title)
    return box


def _scrolled(page: QWidget) -> QScrollArea:
    """Let a page be higher than its place: otherwise it would make the window higher."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(page)
    area.setMinimumWidth(page.minimumSizeHint().width())
    return area


class SidePanels(QObject):
    """Hides and shows the sides of a window, and says where its keys go.

    Parameters
    ----------
    across
        Has the sides and the images between them.
    sides
        The widgets at the sides, by name.
    tabs
        The tabs in them, made by `tabs_of`; a page is named by its title in small letters.
    picture
        Gives the image that commands are for.
    manner
        Says what to press for hidden panels to come back.
    window
        Whose menus these are; owner.
    """

    changed = Signal()
    """A side was hidden or shown, or another tab is in front."""

    def __init__(
        self,
        across: QSplitter,
        sides: Mapping[str, QWidget],
        tabs: Sequence[QTabWidget],
        picture: Callable[[], QWidget],
        manner: Manner,
        window: QMainWindow,
    ) -> None:
        super().__init__(window)
        self._picture = picture
        self._manner = manner
        self._window = window
        self._across = across
        self._is_roomy = True
        self._fitted: dict[str, bool] = {}
        self._sides = dict(sides)
        self._tabs: dict[str, tuple[QTabWidget, QWidget]] = {}
        for box in tabs:
            for at in range(box.count()):
                page = box.widget(at)
                if page is not None:
                    self._tabs[box.tabText(at).lower()] = box, page
            box.currentChanged.connect(lambda *_: self.changed.emit())
        self.hint = QToolButton()
        """Says that something is hidden, and how it comes back."""
        self.hint.setObjectName("show-panels")
        self.hint.setAccessibleName("Show the panels")
        self.hint.setToolTip("Show what is hidden beside the images")
        self.hint.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.hint.clicked.connect(self._show_all)
        self.changed.connect(self.refresh_hint)
        manner.keys_changed.connect(self.refresh_hint)
        self.refresh_hint()
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Fit the sides to the window."""
        if event.type() == QEvent.Type.Resize and watched is self._window:
            self._fit(self._window.width())
        return super().eventFilter(watched, event)

    def _fit(self, width: int) -> None:
        """Let the images have their share, and the sides what is left."""
        fits = {side: width >= least for side, least in _HIDDEN_BELOW.items()}
        # When the window becomes too narrow, or wide enough again; between, it is the reader's.
        was_roomy, self._is_roomy = self._is_roomy, width >= _ROOMY
        for side, has_room in fits.items():
            if self._fitted.get(side, True) is not has_room:
                self._sides[side].setVisible(has_room)
        if self._is_roomy and not was_roomy:
            self._set_widths(_ROOMY_WIDTHS)
        changed, self._fitted = fits != self._fitted, fits
        self._share(width)
        if changed:
            self.changed.emit()

    def _share(self, width: int) -> None:
        sizes = self._across.sizes()
        if self._is_roomy:
            return
        beside = sum(sizes[self._across.indexOf(side)] for side in self._sides.values())
        if width - beside < _LEAST_SHARE * width:
            self._set_widths(
                {name: min(sizes[self._across.indexOf(side)], _NARROW[name])
                 for name, side in self._sides.items()}
            )  # fmt: skip

    def _set_widths(self, widths: Mapping[str, int]) -> None:
        """Give the sides these widths, and the images the rest."""
        places = {self._across.indexOf(side): name for name, side in self._sides.items()}
        rest = self._across.width() - sum(widths.values())
        self._across.setSizes(
            [widths[places[at]] if at in places else rest for at in range(self._across.count())]
        )

    def _show_all(self) -> None:
        for side in self._sides.values():
            side.show()
        self.changed.emit()

    def refresh_hint(self) -> None:
        """Say what is hidden, and by which key it comes back."""
        self.hint.setText(f"Panels hidden: {self._manner.press('panels', 'Panels')}")
        self.hint.setVisible(any(side.isHidden() for side in self._sides.values()))

    def toggle_all(self) -> None:
        """Hide every panel, or show all."""
        shown = not self.all_shown()
        for side in self._sides.values():
            side.setVisible(shown)
        self.changed.emit()

    def all_shown(self) -> bool:
        """A panel is shown at either side."""
        return any(not side.isHidden() for side in self._sides.values())

    def toggle(self, side: str) -> None:
        """Hide or show one side."""
        self._sides[side].setVisible(self._sides[side].isHidden())
        self.changed.emit()

    def is_shown(self, side: str) -> bool:
        """One side is shown."""
        return not self._sides[side].isHidden()

    def show_tab(self, name: str) -> None:
        """Bring a tab to the front; one that is there already gets the keys."""
        box, page = self._tabs[name]
        was_there = self.is_in_front(name)
        for side in self._sides.values():
            if side.isAncestorOf(box):
                side.show()
        box.setCurrentWidget(page)
        if was_there:
            _first_control(page, box).setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.changed.emit()

    def is_in_front(self, name: str) -> bool:
        """A tab can be seen."""
        box, page = self._tabs[name]
        return box.currentWidget() is page and page.isVisible()

    def go_to_picture(self) -> None:
        """Give the keys to the image."""
        self._picture().setFocus(Qt.FocusReason.ShortcutFocusReason)

    def go_to_menus(self) -> None:
        """Open the first menu."""
        bar = self._window.menuBar()
        bar.setActiveAction(bar.actions()[0])


def _first_control(page: QWidget, box: QTabWidget) -> QWidget:
    """What the keys are for first on a page; its tab where it has no control."""
    for widget in page.findChildren(QWidget):
        if (
            widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            and widget.isVisible()
            and widget.isEnabled()
            and widget.focusProxy() is None
        ):
            return widget
    return box.tabBar()
