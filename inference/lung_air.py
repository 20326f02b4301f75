"""Which air of a CT may be lung: what the body encloses, and what the edge of the picture cuts.

The edge of a picture, and of the part of it that was reconstructed, is not outside air. A lung that
reaches it is open there as the air of the room is, and is told from that by what it holds and by
what it hangs together with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import SimpleITK as sitk  # noqa: N813 - the library's own convention
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["AIR_HU", "LungAir", "find_lung_air", "reaches_edge"]

AIR_HU = -320
BODY_SHARE = 0.3
"""Outlines of at least this share of the largest are body (arms, a neck between shoulders)."""
NO_HU = -1500
"""Nothing measures so little: such values stand where nothing was reconstructed."""
EMPTY_HU = -960
"""One value over a whole region at the edge, and no higher than this, is no measurement either."""
ROOM_HU = -960
"""The median of the air of the room is lower, and that of a lung higher, even of a sick one."""
MOST_ALIKE = 0.5
"""Of neighbouring pixels of tissue; in a picture without noise more have one value, and then tissue
cannot be told from what a picture was filled up with."""
LEAST_TISSUE = 0.01
"""Of the picture, to tell that by."""
SLICES_LOOKED_AT = 16
MIN_CUT_MM2 = 150.0
"""Smaller air at the edge is left out."""
ENCLOSED_SHARE = 0.005
"""A cut lung hangs together with lung that the body encloses, above or below: so much of it."""
FOAM_HU = -940
"""Where nothing is enclosed (a single slice), air that is to be lung has a higher median."""
LEAST_DEPTH_MM = 20.0
"""And reaches so far from the edge inwards."""
LEAST_WALL = 0.8
"""And borders for this share on tissue at least `WALL_MM` thick: the shell of a table is thinner,
and foam may measure what a lung does."""
WALL_MM = 12.0


_SQUARE: Final = np.ones((3, 3), np.uint8)
"""A pixel and its neighbours."""


@dataclass(frozen=True, eq=False, slots=True)
class LungAir:
    """Air that may be lung; both of the shape that was given, bool.

    Parameters
    ----------
    mask
        The air; airways, and gas in other hollows, are still in it.
    unseen
        Where nothing was reconstructed.
    """

    mask: NDArray[np.bool_]
    unseen: NDArray[np.bool_]


def find_lung_air(
    values: NDArray[Any], pixel_mm: tuple[float, float], padding: NDArray[np.bool_] | None = None
) -> LungAir:
    """Find the air that may be lung.

    Parameters
    ----------
    values
        HU, shape (slices, rows, columns), axial slices.
    pixel_mm
        Distance between rows, and between columns.
    padding
        Same shape, bool: what is declared to hold no measurement; None where nothing is.
    """
    filler = _filler(values)
    declared = np.zeros(values.shape, bool) if padding is None else padding
    unseen = np.stack([_unseen(*one, filler) for one in zip(values, declared, strict=True)])
    enclosed, at_edge = np.zeros_like(unseen), np.zeros_like(unseen)
    for index, slice_ in enumerate(values):
        enclosed[index], at_edge[index] = _told_apart(slice_, unseen[index], pixel_mm)
    if at_edge.any():
        at_edge = _hanging_together(values, enclosed, at_edge, unseen, pixel_mm)
    return LungAir(enclosed | at_edge, unseen)


def reaches_edge(mask: NDArray[np.bool_], unseen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count the pixels of each slice of a mask that lie at the edge of what was reconstructed.

    Parameters
    ----------
    mask, unseen
        Shape (slices, rows, columns), bool.

    Returns
    -------
    ndarray
        Length slices, int64.
    """
    found = np.zeros(len(mask), np.int64)
    for index in np.flatnonzero(mask.any(axis=(1, 2))):
        found[index] = np.count_nonzero(mask[index] & _edge(unseen[index]))
    return found


def _filler(values: NDArray[Any]) -> float | None:
    """The value of tissue that pictures may be filled up with; None where it could be tissue."""
    some = values[:: max(1, len(values) // SLICES_LOOKED_AT)]
    rim = some[:, _rim(some.shape[1:])]
    found, counts = np.unique(rim[rim >= AIR_HU], return_counts=True)
    if not found.size:
        return None
    value = float(found[counts.argmax()])
    tissue = (some >= AIR_HU) & (some != value)
    pairs = tissue[:, :, 1:] & tissue[:, :, :-1]
    alike = pairs & (some[:, :, 1:] == some[:, :, :-1])
    count = np.count_nonzero(pairs)
    noisy = count >= LEAST_TISSUE * some.size and np.count_nonzero(alike) < MOST_ALIKE * count
    return value if noisy else None


def _unseen(
    slice_: NDArray[Any], declared: NDArray[np.bool_], filler: float | None
) -> NDArray[np.bool_]:
    """Where nothing was reconstructed, from the rim of a slice inwards."""
    rim = _rim(slice_.shape)
    found, counts = np.unique(slice_[rim], return_counts=True)
    usual = float(found[counts.argmax()])
    known = {value for value in (filler, usual if usual <= EMPTY_HU else None) if value is not None}
    unseen = np.zeros(slice_.shape, bool)
    for empty in (slice_ <= NO_HU, declared, *(slice_ == value for value in known)):
        if not empty[rim].any():
            continue
        # Not single pixels: the air of the room has some of its lowest value, too.
        solid = cv2.morphologyEx(empty.astype(np.uint8), cv2.MORPH_OPEN, _SQUARE)
        _, labels = cv2.connectedComponents(solid, connectivity=4)
        reaching = _chosen(labels, np.unique(labels[rim]))
        unseen |= _beside(reaching & (solid > 0)) & empty
    return unseen


def _chosen(labels: NDArray[Any], which: NDArray[Any]) -> NDArray[np.bool_]:
    """Where one of some labels stands; looked up, since that is cheaper than to search."""
    table = np.zeros(int(labels.max()) + 1, bool)
    table[which] = True
    found: NDArray[np.bool_] = table[labels]
    return found


def _beside(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask of a slice, and the pixels beside it."""
    return cv2.dilate(mask.astype(np.uint8), _SQUARE).astype(bool)


def _rim(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    rim = np.zeros(shape, bool)
    rim[[0, -1]] = True
    rim[:, [0, -1]] = True
    return rim


def _edge(unseen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels at the edge of the picture or beside what was not reconstructed."""
    return _beside(unseen) | _rim(unseen.shape)


def _told_apart(
    slice_: NDArray[Any], unseen: NDArray[np.bool_], pixel_mm: tuple[float, float]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Air inside the outline of the body, and air at the edge that is not that of the room.

    Slice by slice, since slices that lie far apart would join the lungs to the air above the
    shoulders; by the body's outline, since air in the table is not outside air either.
    """
    air = (slice_ < AIR_HU) & ~unseen
    _, labels, stats, _ = cv2.connectedComponentsWithStats(air.astype(np.uint8), connectivity=4)
    least = MIN_CUT_MM2 / (pixel_mm[0] * pixel_mm[1])
    large = stats[:, cv2.CC_STAT_AREA] >= least
    reaching = np.unique(labels[_edge(unseen) & air])
    lung = [k for k in reaching[large[reaching]] if _level(slice_, labels == k) > ROOM_HU]
    at_edge = _chosen(labels, np.array(lung, np.int32))
    # What the edge cuts is as much of the body as what it encloses; foam of a table is not.
    of_body = [k for k in lung if _is_walled(slice_, labels == k, unseen, pixel_mm)]
    tissue = ((~air & ~unseen) | _chosen(labels, np.array(of_body, np.int32))).astype(np.uint8)
    contours, _ = cv2.findContours(tissue, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return np.zeros_like(air), at_edge
    areas = np.array([cv2.contourArea(c) for c in contours])
    enclosed = np.zeros_like(air)
    shut = air & ~_chosen(labels, reaching)
    for place in np.flatnonzero(areas > BODY_SHARE * areas.max()):
        body = cv2.drawContours(np.zeros_like(tissue), contours, int(place), 1, cv2.FILLED)
        inside = shut & body.astype(bool)
        if areas[place] < areas.max():
            # The table may be as large as what is left of a body.
            held = np.unique(labels[inside])
            thin = [
                k
                for k in held[large[held]]
                if not _is_walled(slice_, labels == k, unseen, pixel_mm)
            ]
            inside &= ~_chosen(labels, np.array(thin, np.int32))
        enclosed |= inside
    return enclosed, at_edge


def _level(slice_: NDArray[Any], part: NDArray[np.bool_]) -> float:
    """Median HU of a part without its border, whose pixels are partly something else."""
    left, top, wide, high = cv2.boundingRect(part.astype(np.uint8))
    near = np.s_[max(0, top - 1) : top + high + 1, max(0, left - 1) : left + wide + 1]
    part, slice_ = part[near], slice_[near]
    core = cv2.erode(part.astype(np.uint8), _SQUARE, borderType=cv2.BORDER_REPLICATE).astype(bool)
    return float(np.median(slice_[core if core.any() else part]))


def _hanging_together(
    values: NDArray[Any],
    enclosed: NDArray[np.bool_],
    at_edge: NDArray[np.bool_],
    unseen: NDArray[np.bool_],
    pixel_mm: tuple[float, float],
) -> NDArray[np.bool_]:
    """The air at the edge that is lung: by what it hangs together with, or looks like alone."""
    either = enclosed | at_edge
    joined = sitk.ConnectedComponent(sitk.GetImageFromArray(either.astype(np.uint8)))
    labels = sitk.GetArrayFromImage(joined).astype(np.int32)
    # Most of a volume is no air inside a body: only what is labelled is counted and looked up.
    held = labels[either]
    sizes = np.bincount(held)
    lung = np.bincount(held[enclosed[either]], minlength=sizes.size) >= ENCLOSED_SHARE * sizes
    places = ndimage.find_objects(labels)
    for label in np.flatnonzero(~lung):
        first, *plane = places[label - 1]
        part = np.zeros(values.shape[1:], bool)
        likely = 0
        for index in range(first.start, first.stop):
            part[:] = False
            part[tuple(plane)] = labels[index][tuple(plane)] == label
            if _looks_like_lung(values[index], part, unseen[index], pixel_mm):
                likely += int(np.count_nonzero(part))
        lung[label] = likely >= sizes[label] / 2
    kept = np.zeros_like(at_edge)
    kept[at_edge] = lung[labels[at_edge]]
    return kept


def _looks_like_lung(
    slice_: NDArray[Any],
    part: NDArray[np.bool_],
    unseen: NDArray[np.bool_],
    pixel_mm: tuple[float, float],
) -> bool:
    """Whether air at the edge of one slice is lung; by itself, so that foam must not pass."""
    if _level(slice_, part) <= FOAM_HU:
        return False
    whole = _filled(part)
    along = np.count_nonzero(whole & _edge(unseen))
    if np.count_nonzero(whole) * float(np.mean(pixel_mm)) < LEAST_DEPTH_MM * along:
        return False
    return _is_walled(slice_, part, unseen, pixel_mm)


def _filled(part: NDArray[np.bool_]) -> NDArray[np.bool_]:
    filled = np.zeros(part.shape, np.uint8)
    contours, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(filled, contours, -1, 1, cv2.FILLED).astype(bool)


def _is_walled(
    slice_: NDArray[Any],
    part: NDArray[np.bool_],
    unseen: NDArray[np.bool_],
    pixel_mm: tuple[float, float],
) -> bool:
    """Whether air borders on a body, and not on the shell of a table."""
    whole = _filled(part)
    wall = _beside(whole) & ~whole & ~unseen
    thick = _thick((slice_ >= AIR_HU) & ~unseen, float(np.mean(pixel_mm)))
    return bool(wall.any()) and float(thick[wall].mean()) >= LEAST_WALL


def _thick(tissue: NDArray[np.bool_], side: float) -> NDArray[np.bool_]:
    """Tissue that is nowhere thinner than `WALL_MM`; it goes on beyond the picture."""
    radius = max(1, round(WALL_MM / 2.0 / side))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    margin = 2 * radius
    wide = cv2.copyMakeBorder(
        tissue.astype(np.uint8), margin, margin, margin, margin, cv2.BORDER_REPLICATE
    )
    opened = cv2.morphologyEx(wide, cv2.MORPH_OPEN, disc)[margin:-margin, margin:-margin]
    # Corners are rounded off by the disc.
    return _beside(opened.astype(bool)) & tissue
