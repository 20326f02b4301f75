"""The 3D pane: a picture, and a bar of what can be done to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QComboBox, QMenu, QToolButton, QVBoxLayout, QWidget

from inference.errors import ExportRefusedError
from viewer.corners import TELL_NOBODY
from viewer.painting import painting
from viewer.volume3d.camera import VIEWS
from viewer.volume3d.canvas import Canvas
from viewer.volume3d.halves import Halves
from viewer.volume3d.presets import GREY_RAMP, load_presets_3d
from viewer.volume3d.scene import Scene

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent, QShowEvent

    from viewer.session import ReadingSession
    from viewer.volume3d.presets import Preset

__all__ = ["VolumeView"]

_SURFACES_ONLY = "Surfaces only"


class VolumeView(QWidget):
    """The session's volume in 3D, with the surfaces of its findings.

    It costs nothing until it is shown: then a process is started that renders, see `process`. When
    it is hidden the process ends, and its memory is free.

    Parameters
    ----------
    session
        What is shown, and asked to change.
    parent
        Owner, or None.
    may_use_gpu
        False: the processor casts the rays even where there is a graphics card.
    """

    def __init__(
        self,
        session: ReadingSession,
        parent: QWidget | None = None,
        *,
        may_use_gpu: bool = True,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._wanted = ""
        # Without a parent: it has to outlive this widget, to close what it holds.
        self.scene = Scene(session, may_use_gpu)
        self.canvas = Canvas(session, self.scene, self)
        self.setFocusProxy(self.canvas)
        self.setAccessibleName("3D view")
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.canvas, 1)
        rows.addWidget(self._bar())
        session.volume_changed.connect(self._fill_presets)
        self.scene.changed.connect(self._refresh)
        self.canvas.turntable_changed.connect(self._turntable.setChecked)
        self.destroyed.connect(self.scene.close)
        self._fill_presets()
        self._refresh()

    # -- commands ----------------------------------------------------------------------------

    def look_from(self, view: str) -> None:
        """Look from "anterior", "posterior", "left", "right", "head" or "feet"."""
        self.canvas.look_from(view)

    def reset(self) -> None:
        """Look from the front at everything."""
        self.canvas.reset()

    @property
    def turning(self) -> bool:
        """The turntable is on."""
        return self.canvas.turning

    def toggle_turntable(self) -> None:
        """Turn slowly, or stop."""
        self.canvas.set_turning(not self.canvas.turning)

    @property
    def clipping(self) -> bool:
        """The clipping box is used."""
        return self.canvas.box is not None

    def toggle_clipping(self) -> None:
        """Use the clipping box, or not."""
        self.canvas.show_box(not self.clipping)
        self._refresh()

    def choose_preset(self, name: str) -> None:
        """Use the preset of that name, now or as soon as a volume is open that it suits."""
        self._wanted = name
        index = self._presets.findText(name)
        if index >= 0:
            self._presets.setCurrentIndex(index)

    def picture(self) -> QImage:
        """Draw what is shown, with texts and the research-use banner burnt in.

        Raises
        ------
        ExportRefusedError
            When nothing is shown, for the reason that the pane names.
        """
        if self.scene.sentence:
            raise ExportRefusedError(f"There is no 3D picture to export. {self.scene.sentence}")
        ratio = self.devicePixelRatioF()
        image = QImage(self.canvas.size() * ratio, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        with painting(image) as painter:
            self.canvas.draw_on(painter, TELL_NOBODY)
        return image

    # -- the bar -----------------------------------------------------------------------------

    def _bar(self) -> QWidget:
        self._presets = QComboBox()
        self._presets.setObjectName("preset-3d")
        self._presets.setAccessibleName("What is shown in 3D")
        self._presets.currentIndexChanged.connect(self._on_preset)
        self._presets.textActivated.connect(self.choose_preset)
        self._lungs = _toggle("Lungs", "lungs-3d", "Show the lungs' surface, translucent")
        self._lungs.setChecked(True)
        self._lungs.toggled.connect(self._on_lungs)
        self._slice = _toggle("Slice", "slice-3d", "Show where the slice on the screen lies")
        self._slice.setChecked(True)
        self._slice.toggled.connect(self.canvas.show_slice)
        self._box = _toggle(
            "Box", "box-3d",
            "Cut the volume with a box: drag its faces by their handles; the surfaces of findings "
            "stay whole",
        )  # fmt: skip
        self._box.toggled.connect(self.canvas.show_box)
        self._turntable = _toggle("Turn", "turntable-3d", "Turn slowly; a touch stops it")
        self._turntable.toggled.connect(self.canvas.set_turning)
        sides = QToolButton()
        sides.setText("From")
        sides.setObjectName("sides-3d")
        sides.setToolTip("Look from a side of the patient")
        sides.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(sides)
        for view in VIEWS:
            menu.addAction(view.capitalize()).triggered.connect(
                lambda _=False, view=view: self.look_from(view)
            )
        sides.setMenu(menu)
        reset = QToolButton()
        reset.setText("Reset")
        reset.setObjectName("reset-3d")
        reset.setToolTip("Look from the front at everything; the box cuts nothing off")
        reset.clicked.connect(self.reset)
        self._buttons = (self._lungs, self._slice, self._box, self._turntable, sides, reset)
        for button in self._buttons:
            button.setAccessibleName(button.text())
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        shown, done = self._buttons[:2], self._buttons[2:]
        return Halves((self._presets, *shown), done)

    def _offered(self) -> tuple[Preset, ...]:
        volume = self._session.volume
        return load_presets_3d() if volume is not None and volume.is_ct else (GREY_RAMP,)

    def _fill_presets(self) -> None:
        """Offer what suits the volume; the reader's choice stays where it can."""
        with QSignalBlocker(self._presets):
            self._presets.clear()
            for index, preset in enumerate(self._offered()):
                self._presets.addItem(preset.name, preset)
                self._presets.setItemData(index, preset.tip, Qt.ItemDataRole.ToolTipRole)
            self._presets.addItem(_SURFACES_ONLY, None)
            self._presets.setCurrentIndex(max(0, self._presets.findText(self._wanted)))
        self._on_preset()

    def _on_preset(self) -> None:
        index = self._presets.currentIndex()
        offered = self._offered()
        preset = offered[index] if index < len(offered) else None
        self._presets.setToolTip(preset.tip if preset else "The surfaces of the findings alone")
        self.canvas.set_preset(preset)
        self._refresh()

    def _on_lungs(self, on: bool) -> None:
        self.scene.lungs_shown = on
        self.canvas.refresh()

    def _refresh(self) -> None:
        ready = self.scene.bounds is not None
        for widget in (self._presets, *self._buttons):
            widget.setEnabled(ready)
        preset = self.canvas.preset
        redundant = preset is not None and preset.inside
        self._lungs.setEnabled(ready and self.scene.has_lungs and not redundant)
        with QSignalBlocker(self._box):
            self._box.setChecked(self.clipping)

    # -- shown and hidden --------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Start the process that renders."""
        super().showEvent(event)
        if not event.spontaneous():
            self.scene.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """End it; a window that is only minimised keeps it."""
        super().hideEvent(event)
        if not event.spontaneous():
            self.canvas.stop_turning()
            self.scene.stop()


def _toggle(text: str, name: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setObjectName(name)
    button.setToolTip(tip)
    button.setCheckable(True)
    return button
