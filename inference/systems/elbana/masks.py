"""From the streams' logits to masks on the source grid, and to what is measured in them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from inference.cuts import HALF, LEVELS, Cut
from inference.findings import Manifestation, Segment
from inference.lungs import dilate
from inference.models import ModelRecord
from inference.preprocess import Box, restore
from inference.quantify import measure
from inference.studies.model import Volume
from inference.systems.elbana.estimates import sigmoid

__all__ = [
    "EFFUSION_MARGIN_MM",
    "LUNG_MARGIN_MM",
    "combine",
    "combine_levels",
    "enter",
    "keep_to_lungs",
    "make_segments",
    "margins",
    "mean_of_networks",
    "stream_probabilities",
    "stream_scores",
]

LUNG_MARGIN_MM = 10.0
"""Lesions (effusion aside) are kept inside the lungs grown by this."""
EFFUSION_MARGIN_MM = 40.0
"""Effusion lies outside the aerated lung, but not in the table."""
Codes = NDArray[np.uint8]
Cuts = Mapping[Manifestation, Cut]
Maps = TypeVar("Maps", NDArray[Any], torch.Tensor)


def stream_scores(
    logits: Mapping[str, Maps], silent: Collection[str] = ()
) -> dict[Manifestation, Maps]:
    """What a network of the streams says of each manifestation, before it is a probability.

    Parameters
    ----------
    logits
        By stream: (n, 1, h, w), or (n, 4, h, w) of the all-class network, whose map is the odds
        against background, so that one half is where it wins. What marks no manifestation is
        skipped.
    silent
        Streams to be skipped, too (`ModelRecord.silent`).

    Returns
    -------
    dict
        Logits (n, h, w), float32.
    """
    if "all" in logits:
        scores = logits["all"]
        return {
            key: scores[:, code] - scores[:, 0] for code, key in enumerate(Manifestation, start=1)
        }
    return {
        Manifestation(name): values[:, 0]
        for name, values in logits.items()
        if name in set(Manifestation) - set(silent)
    }


def stream_probabilities(
    logits: Mapping[str, NDArray[np.float32]], silent: Collection[str] = ()
) -> dict[Manifestation, NDArray[np.float32]]:
    """Probability maps by manifestation, (n, h, w), float32; parameters as `stream_scores`."""
    return {key: sigmoid(values) for key, values in stream_scores(logits, silent).items()}


def mean_of_networks(
    parts: Sequence[dict[Manifestation, NDArray[np.float32]]],
) -> dict[Manifestation, NDArray[np.float32]]:
    """What the networks of one form say together.

    Parameters
    ----------
    parts
        Of each network its probability maps (n, size, size); sizes may differ.

    Returns
    -------
    dict
        The mean of those networks that mark a manifestation, at the size of the finest.
    """
    keys = dict.fromkeys(key for part in parts for key in part)
    return {key: _mean([part[key] for part in parts if key in part]) for key in keys}


def _mean(maps: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    if len(maps) == 1:
        return maps[0]
    size = max(values.shape[-1] for values in maps)
    same = [v if v.shape[-1] == size else restore(v, (size, size)) for v in maps]
    return np.asarray(np.mean(same, axis=0), dtype=np.float32)


def combine(
    probabilities: NDArray[np.float32], keys: Sequence[Manifestation], cuts: Cuts | None = None
) -> Codes:
    """One code a pixel from streams that may overlap.

    Each stream calls its pixels; where several do, the most probable one has it. docs/results.md
    has each stream alone beside the masks as they are shown.

    Parameters
    ----------
    probabilities
        Shape (k, rows, columns).
    keys
        The manifestations; length k.
    cuts
        How each stream calls its pixels; above one half where it is not named.

    Returns
    -------
    ndarray
        Shape (rows, columns), uint8: 0 none, else 1 + place in `Manifestation`.
    """
    # In 255ths, as they are kept: two that do not differ there are equal on every device.
    return combine_levels(np.asarray(np.rint(probabilities * LEVELS), dtype=np.uint8), keys, cuts)


def combine_levels(
    levels: NDArray[np.uint8], keys: Sequence[Manifestation], cuts: Cuts | None = None
) -> Codes:
    """As `combine`, of probabilities in parts of `cuts.LEVELS`, (k, rows, columns)."""
    places = np.array([1 + list(Manifestation).index(key) for key in keys], dtype=np.uint8)
    cut = cuts or {}
    called = np.stack(
        [cut.get(key, HALF).call_levels(one) for key, one in zip(keys, levels, strict=True)]
    )
    # One more than the level: a pixel that is called must not lose to one that is not.
    most = np.where(called, levels.astype(np.uint16) + 1, 0).argmax(axis=0)
    return np.where(called.any(axis=0), places[most], np.uint8(0))


def enter(
    maps: dict[Manifestation, NDArray[np.float32]],
    codes: Codes,
    box: Box | None,
    cuts: Cuts | None = None,
) -> None:
    """Enter one slice's probabilities into its codes.

    Parameters
    ----------
    maps
        By manifestation, (size, size).
    codes
        Shape (rows, columns), zeros; changed in place: as of `combine`.
    box
        What the network was shown.
    cuts
        As `combine`.
    """
    inside = np.s_[:, :] if box is None else np.s_[box.top : box.bottom, box.left : box.right]
    part = codes[inside]
    # Networks of one form may differ in size.
    restored = [restore(values[np.newaxis], part.shape) for values in maps.values()]
    part[...] = combine(np.concatenate(restored), list(maps), cuts)


def margins(codes: Maps) -> tuple[tuple[float, Maps], ...]:
    """How far from the lungs, in mm, which pixels may lie: masks of the shape of the codes."""
    effusion = 1 + list(Manifestation).index(Manifestation.EFFUSION)
    return (
        (LUNG_MARGIN_MM, (codes != 0) & (codes != effusion)),
        (EFFUSION_MARGIN_MM, codes == effusion),
    )


def keep_to_lungs(codes: NDArray[np.uint8], lungs: NDArray[np.bool_], volume: Volume) -> None:
    """Take away what lies too far from the lungs.

    Parameters
    ----------
    codes
        As of `enter`, shape (n, rows, columns); changed in place.
    lungs
        Lung mask of the same slices.
    volume
        Gives the spacing.
    """
    for margin, held in margins(codes):
        # Most slices hold nothing, and growing a mask is the dear part.
        some = np.flatnonzero(held.any(axis=(1, 2)))
        if some.size:
            away = held[some] & ~dilate(lungs[some], volume, margin)
            codes[some] = np.where(away, 0, codes[some])


def make_segments(
    codes: NDArray[np.uint8],
    volume: Volume,
    lungs: NDArray[np.bool_] | None,
    streams: tuple[ModelRecord, ...],
    cuts: Cuts | None = None,
) -> tuple[Segment, ...]:
    """Measure the masks.

    Parameters
    ----------
    codes
        As of `enter`, shape of the volume, kept to the lungs.
    volume, lungs
        What was analysed, and its lung mask.
    streams
        Which models spoke.
    cuts
        As `combine`.
    """
    result = []
    for code, key in enumerate(Manifestation, start=1):
        cut = (cuts or {}).get(key, HALF)
        model = " + ".join(
            r.name for r in streams if {key.value, "all"} & (set(r.streams) - set(r.silent))
        )
        result.append(measure(key, codes == code, volume, lungs, model, cut))
    return tuple(result)
