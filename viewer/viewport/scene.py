"""From the session to what is drawn: the frame of pixels and the texts around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from inference.heat_energy import figure_text, warning_text
from viewer import theme
from viewer.reading import SliceState
from viewer.session import LayerStyle
from viewer.viewport import texts
from viewer.viewport.annotations import Annotations, Line, Role
from viewer.viewport.orientation import Display, display_of, edge_letters
from viewer.viewport.render import (
    Bytes,
    HeatLayer,
    MaskLayer,
    Placement,
    compose,
    grey_of,
)

if TYPE_CHECKING:
    from inference.findings import Heatmap, Manifestation
    from inference.studies.model import Problem, Volume
    from viewer.session import Layer, ReadingSession
    from viewer.viewport.framing import Framing

__all__ = ["Scene"]

_BAR_SHARE = 0.25
"""The scale bar takes at most this part of the view's width."""


class Scene:
    """What the session shows, drawn anew only where it changed.

    The grey slice and the frame are kept until `forget_grey` or `forget_frame` says otherwise.
    """

    def __init__(self, session: ReadingSession) -> None:
        self._session = session
        self._display = Display()
        self._grey: Bytes | None = None
        self._frame: Bytes | None = None
        self._frame_key: tuple[Framing, float] | None = None

    # -- what changed --------------------------------------------------------------------------

    def forget_volume(self) -> None:
        """Another volume is open."""
        volume = self._session.volume
        oriented = volume is not None and volume.has_orientation
        self._display = display_of(volume.affine) if volume and oriented else Display()
        self.forget_grey()

    def forget_grey(self) -> None:
        """Slice, window or inversion changed."""
        self._grey = None
        self.forget_frame()

    def forget_frame(self) -> None:
        """Something that lies over the grey changed."""
        self._frame_key = None

    # -- geometry ------------------------------------------------------------------------------

    def picture_size(self) -> tuple[int, int, float, float]:
        """Columns, rows, column mm and row mm of the displayed picture of the open volume."""
        volume = self._open_volume()
        _, rows, columns = volume.shape
        _, row_mm, column_mm = volume.spacing
        if self._display.transpose:
            return rows, columns, row_mm, column_mm
        return columns, rows, column_mm, row_mm

    def _open_volume(self) -> Volume:
        if self._session.volume is None:
            raise ValueError("no volume is open")
        return self._session.volume

    # -- pixels --------------------------------------------------------------------------------

    def frame(self, framing: Framing, ratio: float) -> QImage:
        """Draw the slice with its overlays.

        Parameters
        ----------
        framing
            Where the picture lies.
        ratio
            Device pixels a logical pixel.

        Returns
        -------
        QImage
            Size of the view; it looks into memory that is valid until the next call.
        """
        if self._frame is None or self._frame_key != (framing, ratio):
            placement = Placement(
                max(1, round(framing.width * ratio)),
                max(1, round(framing.height * ratio)),
                framing.left * ratio,
                framing.top * ratio,
                framing.scale_x * ratio,
                framing.scale_y * ratio,
                ratio,
            )
            self._frame = compose(self._grey_slice(), placement, self._masks(), self._heat())
            self._frame_key = (framing, ratio)
        height, width, _ = self._frame.shape
        image = QImage(self._frame.data, width, height, 4 * width, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        return image

    def _grey_slice(self) -> Bytes:
        if self._grey is None:
            session, volume = self._session, self._open_volume()
            plane = self._display.turn(volume.array[session.position])
            if self.slice_state() is not SliceState.READ:
                # Black whatever the window, and never what happens to be in memory.
                self._grey = np.zeros(plane.shape, np.uint8)
                return self._grey
            # Twice inverted is not inverted.
            self._grey = grey_of(plane, session.window, volume.inverted != session.inverted)
        return self._grey

    def slice_state(self) -> SliceState:
        """Say whether the slice on the screen has been read."""
        return self._session.reading.state(self._session.position)

    def _shown_masks(self) -> list[tuple[Layer, NDArray[np.bool_]]]:
        """The masks of the slice on the screen, as stored: of the findings, or the early ones."""
        session = self._session
        if not session.overlays_on:
            return []
        pairs = ((layer, self._mask(layer.key)) for layer in session.layers if layer.visible)
        return [(layer, mask) for layer, mask in pairs if mask is not None]

    def _mask(self, key: Manifestation) -> NDArray[np.bool_] | None:
        session = self._session
        if session.early is not None:
            return session.early.mask(key, session.position)
        segment = session.findings.segment(key) if session.findings is not None else None
        return None if segment is None else segment.mask[session.position]

    def _masks(self) -> list[MaskLayer]:
        layers = []
        for layer, stored in self._shown_masks():
            colour = theme.findings_colour(layer.key)
            mask = self._display.turn(stored)
            outline = layer.style is LayerStyle.OUTLINE
            rgb = (colour.red(), colour.green(), colour.blue())
            layers.append(MaskLayer(mask, rgb, layer.opacity, outline))
        return layers

    def _heat(self) -> HeatLayer | None:
        session = self._session
        if session.heatmap is None or not session.overlays_on:
            return None
        return HeatLayer(self._display.turn(session.heatmap.values), session.heatmap_opacity)

    # -- words ---------------------------------------------------------------------------------

    def problems(self) -> tuple[Problem, ...]:
        """What is doubtful about the study, the series and the volume, each once."""
        session = self._session
        found = [
            problem
            for source in (session.volume, session.series, session.study)
            if source is not None
            for problem in source.problems
        ]
        return tuple({(problem.code, problem.sentence): problem for problem in found}.values())

    def annotations(self, framing: Framing, pixel: tuple[int, int] | None) -> Annotations:
        """Write what stands around the picture.

        Parameters
        ----------
        framing
            Where the picture lies.
        pixel
            Displayed (column, row) under the cursor, or None.
        """
        session, volume = self._session, self._open_volume()
        heatmap = session.heatmap if session.overlays_on else None
        return Annotations(
            top_left=self._title(volume),
            top_right=(
                Line(texts.window_text(session.window) + ("  ·  inverted" * session.inverted)),
                Line(texts.zoom_text(framing.scale_x)),
            ),
            bottom_right=(*self._probe(volume, pixel), *self._marks(volume)),
            letters=edge_letters(volume.affine, self._display) if volume.has_orientation else None,
            scale=texts.scale_bar(framing.pixels_per_mm, _BAR_SHARE * framing.width)
            if volume.has_geometry
            else None,
            heatmap=heatmap.class_name if heatmap else "",
            heatmap_notes=_heat_notes(heatmap) if heatmap else (),
            instead=self.slice_state().value,
        )

    def _title(self, volume: Volume) -> tuple[Line, ...]:
        study, series = self._session.study, self._session.series
        names = (study.description if study else "", series.description if series else "")
        title = "  ·  ".join(name for name in names if name) or volume.modality
        return Line(title), Line(texts.slice_text(volume, self._session.position))

    def _probe(self, volume: Volume, pixel: tuple[int, int] | None) -> tuple[Line, ...]:
        if pixel is None or self.slice_state() is not SliceState.READ:
            return ()
        columns, rows, _, _ = self.picture_size()
        column, row = self._display.stored_pixel(*pixel, columns, rows)
        position = self._session.position
        covering: list[Manifestation] = [
            layer.key for layer, mask in self._shown_masks() if mask[row, column]
        ]
        value, place = texts.value_lines(volume, position, (column, row), covering)
        return Line(value), Line(place)

    def _marks(self, volume: Volume) -> tuple[Line, ...]:
        lossy = (Line("lossy", "warning"),) if volume.lossy else ()
        doubts = texts.doubts_text(self.problems())
        marks = (*self._early_mark(), *lossy)
        return (*marks, Line(doubts, "warning", Role.DOUBTS)) if doubts else marks

    def _early_mark(self) -> tuple[Line, ...]:
        """While an analysis runs: whether it has come to this slice."""
        early = self._session.early
        if early is None:
            return ()
        position = self._session.position
        if early.done[position]:
            text = "early result, analysis running"
        else:
            text = "not yet analysed" if early.planned[position] else "not analysed"
        return (Line(text, "warning"),)


def _heat_notes(heatmap: Heatmap) -> tuple[Line, ...]:
    """Write how much of the heat lies in the lungs, warning first; nothing where none are known."""
    if heatmap.lungs is None:
        return ()
    first, colon, second = warning_text(heatmap.lungs).partition(": ")
    warning = (Line(first + colon.strip(), "warning"), Line(second, "warning")) if second else ()
    return (*warning, Line(figure_text(heatmap.lungs)))
