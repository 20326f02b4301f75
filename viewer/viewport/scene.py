"""From the session to what is drawn in a pane: the frame of pixels and the texts around it."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from inference.studies.voi import grey_of
from viewer import theme
from viewer.corners import ALL_CORNERS, CornerText
from viewer.measuring.projection import Projection
from viewer.painting import made, said
from viewer.panes import Content, SlabMode
from viewer.planes.oblique import ObliqueSection
from viewer.planes.section import Section, section_of, why_not
from viewer.reading import STILL_READING, SliceState
from viewer.session import LayerStyle
from viewer.viewport import texts
from viewer.viewport.annotations import Annotations, Line, Role, lines_of
from viewer.viewport.corner_lines import acquired_of, whose_of
from viewer.viewport.marks import heat_notes, marks_of, problems_of
from viewer.viewport.projecting import projection_of
from viewer.viewport.render import (
    Bytes,
    HeatLayer,
    MaskLayer,
    Placement,
    compose,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from inference.findings import Heatmap, Manifestation
    from inference.studies.model import Problem, Volume
    from viewer.panes import Pane
    from viewer.planes.section import Planes
    from viewer.session import Layer, ReadingSession
    from viewer.viewport.framing import Framing

__all__ = ["Scene"]

_BAR_SHARE = 0.25
"""The scale bar takes at most this part of the view's width."""


class Scene:
    """What a pane of the session shows, drawn anew only where it changed.

    The grey plane and the frame are kept until `forget_grey` or `forget_frame` says otherwise.

    Parameters
    ----------
    session
        What is shown.
    number
        Of the pane.
    """

    def __init__(self, session: ReadingSession, number: int = 0) -> None:
        self._session = session
        self._number = number
        self._section: Planes | None = None
        self._plane: NDArray[Any] | None = None
        self._outside: NDArray[np.bool_] | None = None
        self._grey: Bytes | None = None
        self._frame: Bytes | None = None
        self._frame_key: tuple[Framing, float] | None = None
        self._shown: list[tuple[Layer, NDArray[np.bool_]]] | None = None
        self._missing: dict[str, None] = {}
        """Parts of the frame that could not be drawn, in order, each once."""

    # -- what changed --------------------------------------------------------------------------

    def forget_volume(self) -> None:
        """Another volume is open, or the pane shows other planes of it, or turned."""
        volume = self._session.volume
        self._section = None if volume is None else section_of(volume, self.pane)
        self.forget_plane()

    def forget_plane(self) -> None:
        """Another plane is shown."""
        self._plane = self._outside = None
        self.forget_grey()

    def forget_grey(self) -> None:
        """Window or inversion changed."""
        self._grey = None
        self.forget_frame()

    def forget_frame(self) -> None:
        """Something that lies over the grey changed."""
        self._frame_key = None
        self._shown = None
        self._missing.clear()

    # -- geometry ------------------------------------------------------------------------------

    @property
    def pane(self) -> Pane:
        """What the pane shows; the last one's where the layout has fewer panes."""
        panes = self._session.arrangement.panes
        return panes[min(self._number, len(panes) - 1)]

    def why_nothing(self) -> str:
        """Why an open volume has no such planes; empty where it has, or none is open."""
        volume = self._session.volume
        return "" if volume is None else why_not(volume, self.pane.content)

    @property
    def index(self) -> int:
        """Number of the plane on the screen."""
        return self._planes().index_of(self._session.cursor)

    @property
    def section(self) -> Planes | None:
        """The planes that are shown; None where there are none."""
        return self._section

    def _planes(self) -> Planes:
        if self._section is None:
            raise ValueError("no plane is shown")
        return self._section

    def projection(self, framing: Framing) -> Projection | None:
        """Say how the voxel grid of the open volume lies in the view.

        None where nothing is measured, see `why_not_measured`.
        """
        if self._section is None or self.why_not_measured():
            return None
        return projection_of(self._section, self.index, self.pane, framing)

    def why_not_measured(self) -> str:
        """Why nothing is measured on the plane that is shown, in a sentence; empty where it is."""
        # Slices that cannot be decoded will be left out, and the others get other numbers.
        return STILL_READING if self._session.reading.active else ""

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
            self._frame = self._composed(framing, ratio)
            self._frame_key = (framing, ratio)
        return _image(self._frame, ratio)

    def magnified(self, framing: Framing, ratio: float) -> QImage:
        """Draw what a magnifier shows; as `frame`, but nothing is kept."""
        return _image(self._composed(framing, ratio), ratio).copy()

    def _composed(self, framing: Framing, ratio: float) -> Bytes:
        placement = Placement(
            max(1, round(framing.width * ratio)),
            max(1, round(framing.height * ratio)),
            framing.left * ratio,
            framing.top * ratio,
            framing.scale_x * ratio,
            framing.scale_y * ratio,
            ratio,
        )
        masks = made("Masks", self._masks, (), self._missing)
        heat = made("Heatmap", self._heat, None, self._missing)
        return compose(self._grey_plane(), placement, masks, heat, self._attempt)

    def _attempt(self, name: str, do: Callable[[], None]) -> None:
        """Draw an overlay; one that cannot be drawn is named in the picture."""
        made(name, do, None, self._missing)

    def plane(self) -> NDArray[Any]:
        """Values of the plane or slab on the screen, as displayed; shape (rows, columns)."""
        if self._plane is None:
            self._plane = self._planes().slab(self._open_volume().array, self.index, self.pane)
        return self._plane

    def _outside_volume(self) -> NDArray[np.bool_] | None:
        """Where the picture shows nothing of the volume; None where it does everywhere."""
        if self._outside is None:
            self._outside = self._planes().outside(self.index, self.pane)
        return self._outside

    def _grey_plane(self) -> Bytes:
        if self._grey is None:
            session, volume = self._session, self._open_volume()
            if self.slice_state() is not SliceState.READ:
                # Black whatever the window, and never what happens to be in memory.
                columns, rows, _, _ = self._planes().size()
                self._grey = np.zeros((rows, columns), np.uint8)
                return self._grey
            # Twice inverted is not inverted.
            self._grey = grey_of(self.plane(), session.window, volume.inverted != session.inverted)
            if (outside := self._outside_volume()) is not None:
                self._grey[outside] = 0
        return self._grey

    def _is_stored_slice(self) -> bool:
        """One slice as it was acquired is on the screen, which is what systems analyse."""
        return self._stored_slices() is not None

    def _stored_slices(self) -> Section | None:
        """The planes, where one slice as it was acquired is on the screen."""
        planes, is_thin = self._planes(), self.pane.slab.mode is SlabMode.THIN
        return planes if isinstance(planes, Section) and planes.axis == 0 and is_thin else None

    def slice_state(self) -> SliceState:
        """Say whether what is on the screen has been read: a slice, or all of what planes cut."""
        reading = self._session.reading
        if self._section is None or not reading.active:
            return SliceState.READ
        return reading.state(self.index) if self._is_stored_slice() else SliceState.WAITING

    def _shown_masks(self) -> list[tuple[Layer, NDArray[np.bool_]]]:
        """The masks that reach the plane on the screen: of the findings, or early ones."""
        if self._shown is None:
            session = self._session
            layers = session.layers if session.overlays_on else ()
            pairs = (
                (layer, made("Masks", partial(self._mask, layer.key), None, self._missing))
                for layer in layers
                if layer.visible
            )
            # A view that is turned is looked through several times more slowly than a copy.
            held = (
                (layer, np.ascontiguousarray(mask)) for layer, mask in pairs if mask is not None
            )
            self._shown = [(layer, mask) for layer, mask in held if mask.any()]
        return self._shown

    def _mask(self, key: Manifestation) -> NDArray[np.bool_] | None:
        session, slices = self._session, self._stored_slices()
        if session.early is not None:
            stored = session.early.mask(key, self.index) if slices is not None else None
            return None if stored is None or slices is None else slices.display.turn(stored)
        segment = session.findings.segment(key) if session.findings is not None else None
        if segment is None:
            return None
        return self._planes().slab(segment.mask, self.index, self.pane)

    def _masks(self) -> list[MaskLayer]:
        layers = []
        for layer, mask in self._shown_masks():
            colour = theme.findings_colour(layer.key)
            outline = layer.style is not LayerStyle.FILL
            fill = layer.style is not LayerStyle.OUTLINE
            rgb = (colour.red(), colour.green(), colour.blue())
            layers.append(MaskLayer(mask, rgb, layer.opacity, outline, fill))
        return layers

    def _shown_heatmap(self) -> Heatmap | None:
        session = self._session
        return session.heatmap if session.overlays_on and self._is_stored_slice() else None

    def _heat(self) -> HeatLayer | None:
        heatmap, slices = self._shown_heatmap(), self._stored_slices()
        if heatmap is None or slices is None:
            return None
        values = slices.display.turn(heatmap.values)
        session = self._session
        return HeatLayer(values, session.heatmap_opacity, session.heatmap_threshold)

    # -- words ---------------------------------------------------------------------------------

    def problems(self) -> tuple[Problem, ...]:
        """What is doubtful about the study, the series and the volume, each once."""
        return problems_of(self._session)

    def annotations(
        self,
        framing: Framing,
        pixel: tuple[int, int] | None,
        corners: Collection[CornerText] = ALL_CORNERS,
    ) -> Annotations:
        """Write what stands around the picture.

        Parameters
        ----------
        framing
            Where the picture lies.
        pixel
            Displayed (column, row) under the cursor, or None.
        corners
            What may be written of patient, study and series, if the reader wants it.
        """
        volume = self._open_volume()
        heatmap = made("Heatmap", self._shown_heatmap, None, self._missing)
        missing = dict(self._missing)
        letters = scale = None
        if volume.has_orientation:
            of_planes = partial(self._planes().letters, volume.affine)
            letters = made("Orientation letters", of_planes, None, missing)
        if volume.has_geometry:
            bar = partial(texts.scale_bar, framing.pixels_per_mm, _BAR_SHARE * framing.width)
            scale = made("Scale", bar, None, missing)
        legend = made("Masks", self._shown_masks, (), missing)
        return Annotations(
            whose=lines_of("Patient", partial(whose_of, self._session, corners)),
            acquired=lines_of("Study", partial(acquired_of, self._session, corners)),
            top_left=(
                *lines_of("Slice", partial(self._place, volume)),
                *(Line(said(name), "error") for name in missing),
            ),
            top_right=lines_of("Window", partial(self._grey_lines, framing)),
            legend=tuple(layer.key for layer, _ in legend),
            bottom_right=(
                *self._probe(volume, pixel),
                *lines_of("Marks", self._marks),
                *lines_of("Doubts", self._doubts),
            ),
            letters=letters,
            scale=scale,
            heatmap=heatmap.explained.label if heatmap else "",
            heatmap_notes=lines_of("Heat in the lungs", partial(heat_notes, heatmap)),
            instead=self.slice_state().value,
        )

    def _grey_lines(self, framing: Framing) -> tuple[Line, ...]:
        session = self._session
        return (
            Line(texts.window_text(session.window) + ("  ·  inverted" * session.inverted)),
            Line(texts.zoom_text(framing.scale_x)),
        )

    def _place(self, volume: Volume) -> tuple[Line, ...]:
        place = texts.plane_text(volume, self._planes(), self.index)
        if self.pane.content is not Content.STACK:
            place = f"{self.pane.content.words}  {place}"
        slab = texts.slab_text(self._planes(), self.index, self.pane)
        return (Line(place), *((Line(slab),) if slab else ()))

    def _probe(self, volume: Volume, pixel: tuple[int, int] | None) -> tuple[Line, ...]:
        if pixel is None or self.slice_state() is not SliceState.READ:
            return ()
        column, row = pixel
        shown = made("Masks", self._shown_masks, (), self._missing)
        covering = [layer.key for layer, mask in shown if mask[row, column]]
        mode = self.pane.slab.mode
        slab = None if mode is SlabMode.THIN else (mode, float(self.plane()[row, column]))
        voxel = self._planes().to_voxel(column + 0.5, row + 0.5, self.index)
        stored = (round(voxel[0]), round(voxel[1]), round(voxel[2]))
        if not all(0 <= at < n for at, n in zip(stored, volume.shape[::-1], strict=True)):
            return ()
        value = partial(texts.value_lines, volume, stored, covering, slab)
        return (
            *lines_of("Value", lambda: map(Line, value())),
            *lines_of("Probabilities", partial(self._probabilities, stored[2])),
        )

    def _probabilities(self, index: int) -> tuple[Line, ...]:
        text = texts.probability_text(self._session.findings, index)
        return (Line(text),) if text else ()

    def _marks(self) -> tuple[Line, ...]:
        return marks_of(
            self._session,
            self.index,
            as_acquired=self._is_stored_slice(),
            oblique=isinstance(self._section, ObliqueSection),
        )

    def _doubts(self) -> tuple[Line, ...]:
        doubts = texts.doubts_text(self.problems())
        return (Line(doubts, "warning", Role.DOUBTS),) if doubts else ()


def _image(frame: Bytes, ratio: float) -> QImage:
    height, width, _ = frame.shape
    image = QImage(frame.data, width, height, 4 * width, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    return image
