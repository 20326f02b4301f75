"""The panes of the window in their places."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from inference.errors import ExportRefusedError
from viewer import theme
from viewer.painting import painting
from viewer.panes import Content
from viewer.viewport.torn import TornPane
from viewer.viewport.view import SliceView

if TYPE_CHECKING:
    from viewer.session import ReadingSession

__all__ = ["PaneGrid", "VolumePane"]


class VolumePane(Protocol):
    """What the grid asks of a pane that shows the volume in 3D, beside being a widget."""

    def picture(self) -> QImage:
        """Draw what is shown."""
        ...


class PaneGrid(QWidget):
    """Columns of panes that can be made wider and higher; one may have the whole room for a time.

    Parameters
    ----------
    session
        Whose layout is shown.
    make_volume_pane
        Makes a 3D pane, a widget and a `VolumePane`, when a layout first has one; None: such panes
        say that there is no plane.
    parent
        Owner, or None.
    """

    menu_asked = Signal(str, bool, object)
    """As `SliceView.menu_asked`, of the pane that is now the active one."""
    torn_changed = Signal()
    """A pane got a window of its own, or came back."""
    volume_pane_changed = Signal()
    """A 3D pane appeared or went."""

    def __init__(
        self,
        session: ReadingSession,
        make_volume_pane: Callable[[ReadingSession], QWidget] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._make_volume_pane = make_volume_pane
        self._views: list[SliceView] = []
        self._places: list[QStackedWidget] = []
        self._across: QSplitter | None = None
        self._columns: list[QSplitter] = []
        self._shape: tuple[int, ...] = ()
        self._torn: dict[int, TornPane] = {}
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        self.setAccessibleName("Panes")
        session.arrangement.layout_changed.connect(self._arrange)
        session.arrangement.panes_changed.connect(self._fill)
        self._arrange()

    @property
    def views(self) -> tuple[SliceView, ...]:
        """The panes, in the order of the layout."""
        return tuple(self._views)

    @property
    def active_view(self) -> SliceView:
        """The pane that commands are for."""
        return self._views[self._session.arrangement.active]

    @property
    def active_pane(self) -> QWidget:
        """What is shown in the active pane: planes, or the volume in 3D."""
        return self._places[self._session.arrangement.active].currentWidget() or self.active_view

    @property
    def volume_pane(self) -> QWidget | None:
        """The 3D pane that is to be seen, the first of several; None where there is none."""
        shown = (place.currentWidget() for place in self._places if not place.isHidden())
        return next((w for w in shown if not isinstance(w, SliceView)), None)

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
        if self.is_torn:
            return _picture(self.active_pane)
        shown = [place for place in self._docked() if not place.isHidden()]
        if len(shown) == 1:
            return _picture(shown[0].currentWidget())
        ratio = self.devicePixelRatioF()
        image = QImage(self.size() * ratio, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        image.fill(theme.colour("line"))
        with painting(image) as painter:
            for place in shown:
                where = QRect(place.mapTo(self, QPoint(0, 0)), place.size())
                painter.drawImage(where.topLeft(), _picture(place.currentWidget()))
        return image

    # -- windows of their own ------------------------------------------------------------------

    @property
    def torn(self) -> tuple[TornPane, ...]:
        """The windows of single panes."""
        return tuple(self._torn.values())

    @property
    def is_torn(self) -> bool:
        """The active pane is in a window of its own."""
        return self._session.arrangement.active in self._torn

    @property
    def can_tear(self) -> bool:
        """The active pane can be given a window of its own, or be taken back from it."""
        return self.is_torn or len(self._docked()) > 1

    def toggle_torn(self) -> None:
        """Give the active pane a window of its own, or take it back."""
        number = self._session.arrangement.active
        if number in self._torn:
            self._torn[number].close()
        elif self.can_tear:
            self._session.arrangement.maximise(on=False)
            torn = TornPane(number, self._places[number], self.window())
            torn.closed.connect(self._take_back)
            self._torn[number] = torn
            self._arrange()
            torn.show()
            self.torn_changed.emit()

    def take_all_back(self) -> None:
        """Close the windows of single panes."""
        for torn in self.torn:
            torn.close()

    def _take_back(self, number: int) -> None:
        torn = self._torn.pop(number, None)
        if torn is None:
            return
        self._build(self._shape)
        torn.deleteLater()
        self._arrange()
        self.torn_changed.emit()

    def _docked(self) -> list[QStackedWidget]:
        return [place for number, place in enumerate(self._places) if number not in self._torn]

    # -- places --------------------------------------------------------------------------------

    def _arrange(self) -> None:
        arrangement = self._session.arrangement
        shape = tuple(len(column) for column in arrangement.layout.columns)
        if shape != self._shape:
            torn, self._torn = self._torn, {}
            self._build(shape)
            for window in torn.values():
                window.hide()
                window.deleteLater()
            if torn:
                self.torn_changed.emit()
        alone = arrangement.active if arrangement.maximised and not self.is_torn else None
        for number, place in enumerate(self._places):
            place.setVisible(alone in {None, number} or number in self._torn)
        for column in self._columns:
            column.setVisible(any(not p.isHidden() for p in column.findChildren(QStackedWidget)))
        self._fill()

    def _fill(self) -> None:
        """Give every pane planes or the volume in 3D, as the session says."""
        before = self.volume_pane
        for place, view, pane in zip(
            self._places, self._views, self._session.arrangement.panes, strict=True
        ):
            wanted: QWidget = view
            if pane.content is Content.VOLUME and self._make_volume_pane is not None:
                wanted = place.widget(1) or self._add_volume_pane(place, self._make_volume_pane)
            if place.currentWidget() is not wanted:
                place.setCurrentWidget(wanted)
        for number, torn in self._torn.items():
            torn.name(self._session.arrangement.panes[number].content.words)
        self._level()
        if self.volume_pane is not before:
            self.volume_pane_changed.emit()

    def _level(self) -> None:
        """Let no column become narrower because another one needs more: axial is in the first."""
        for column in self._columns:
            column.setMinimumWidth(0)
        least = max((each.minimumSizeHint().width() for each in self._columns), default=0)
        for column in self._columns:
            column.setMinimumWidth(least)

    def _add_volume_pane(
        self, place: QStackedWidget, make: Callable[[ReadingSession], QWidget]
    ) -> QWidget:
        pane = make(self._session)
        place.addWidget(pane)
        for part in (pane, *pane.findChildren(QWidget)):
            part.installEventFilter(self)
        return pane

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Whoever touches a 3D pane gives commands to it."""
        if event.type() in {QEvent.Type.MouseButtonPress, QEvent.Type.FocusIn}:
            for number, place in enumerate(self._places):
                if isinstance(watched, QWidget) and place.isAncestorOf(watched):
                    self._session.arrangement.activate(number)
        return super().eventFilter(watched, event)

    def _build(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        old = self._across
        # First, so that places and panes are as many whenever somebody asks: a widget that goes
        # hands the focus on, and who gets it becomes the active pane in the middle of this.
        gone = self._places[sum(shape) :]
        del self._views[sum(shape) :], self._places[sum(shape) :]
        across = QSplitter(Qt.Orientation.Horizontal)
        across.setChildrenCollapsible(False)
        while len(self._views) < sum(shape):
            place = QStackedWidget()
            self._views.append(SliceView(self._session, len(self._views)))
            self._views[-1].menu_asked.connect(self.menu_asked)
            place.addWidget(self._views[-1])
            self._places.append(place)
        left = iter(enumerate(self._places))
        self._columns = []
        for count in shape:
            down = QSplitter(Qt.Orientation.Vertical)
            down.setChildrenCollapsible(False)
            for number, place in islice(left, count):
                if number not in self._torn:
                    down.addWidget(place)
            down.setSizes([1000] * count)
            across.addWidget(down)
            self._columns.append(down)
        across.setSizes([1000] * len(shape))
        for place in gone:
            place.setParent(None)
            place.deleteLater()
        self._across = across
        box = self.layout()
        if box is not None:
            box.addWidget(across)
        across.show()
        if old is not None:
            old.setParent(None)
            old.deleteLater()


def _picture(pane: QWidget | None) -> QImage:
    """What a pane shows; one that has nothing to show says why on its picture."""
    drawn = getattr(pane, "picture", None)
    if drawn is not None:
        try:
            image: QImage = drawn()
        except ExportRefusedError:
            pass
        else:
            return image
    return pane.grab().toImage() if pane is not None else QImage()
