"""The panes of the window in their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from inference.errors import ExportRefusedError
from viewer import theme
from viewer.viewport.view import SliceView

if TYPE_CHECKING:
    from viewer.session import ReadingSession

__all__ = ["PaneGrid"]


class PaneGrid(QWidget):
    """Columns of panes that can be made wider and higher; one may have the whole room for a time.

    Parameters
    ----------
    session
        Whose layout is shown.
    parent
        Owner, or None.
    """

    def __init__(self, session: ReadingSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._views: list[SliceView] = []
        self._across: QSplitter | None = None
        self._columns: list[QSplitter] = []
        self._shape: tuple[int, ...] = ()
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        self.setAccessibleName("Panes")
        session.arrangement.layout_changed.connect(self._arrange)
        self._arrange()

    @property
    def views(self) -> tuple[SliceView, ...]:
        """The panes, in the order of the layout."""
        return tuple(self._views)

    @property
    def active_view(self) -> SliceView:
        """The pane that commands are for."""
        return self._views[self._session.arrangement.active]

    def sizeHint(self) -> QSize:
        """Room for a square picture."""
        return QSize(720, 720)

    def picture(self) -> QImage:
        """Draw all panes that are to be seen, each with its overlays, texts and banner.

        Returns
        -------
        QImage
            Opaque, in device pixels of the screen that the window is on.

        Raises
        ------
        ExportRefusedError
            When nothing is open.
        """
        if self._session.volume is None:
            raise ExportRefusedError("There is no picture to export; open a study first.")
        shown = [view for view in self._views if not view.isHidden()]
        if len(shown) == 1:
            return shown[0].picture()
        ratio = self.devicePixelRatioF()
        image = QImage(self.size() * ratio, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        image.fill(theme.colour("line"))
        painter = QPainter(image)
        for view in shown:
            place = QRect(view.mapTo(self, QPoint(0, 0)), view.size())
            painter.drawImage(place.topLeft(), view.picture())
        painter.end()
        return image

    def _arrange(self) -> None:
        arrangement = self._session.arrangement
        shape = tuple(len(column) for column in arrangement.layout.columns)
        if shape != self._shape:
            self._build(shape)
        alone = arrangement.active if arrangement.maximised else None
        for number, view in enumerate(self._views):
            view.setVisible(alone is None or number == alone)
        for column in self._columns:
            column.setVisible(any(not v.isHidden() for v in column.findChildren(SliceView)))

    def _build(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        old = self._across
        across = QSplitter(Qt.Orientation.Horizontal)
        across.setChildrenCollapsible(False)
        while len(self._views) < sum(shape):
            self._views.append(SliceView(self._session, len(self._views)))
        left = iter(self._views)
        self._columns = []
        for count in shape:
            down = QSplitter(Qt.Orientation.Vertical)
            down.setChildrenCollapsible(False)
            for _ in range(count):
                down.addWidget(next(left))
            down.setSizes([1000] * count)
            across.addWidget(down)
            self._columns.append(down)
        across.setSizes([1000] * len(shape))
        for view in self._views[sum(shape) :]:
            view.setParent(None)
            view.deleteLater()
        del self._views[sum(shape) :]
        self._across = across
        box = self.layout()
        if box is not None:
            box.addWidget(across)
        across.show()
        if old is not None:
            old.setParent(None)
            old.deleteLater()
