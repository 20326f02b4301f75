"""The columns of the table of lesions: what a cell says, and what it is sorted by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from inference.lesion_data import PERIPHERAL_MM, Lesion
from inference.lesion_review import Decision, Verdict
from inference.taxonomy import Manifestation

__all__ = ["COLUMNS", "Column", "Row"]

_UNKNOWN = "–"
_TYPES = {
    Manifestation.GGO: "GGO",
    Manifestation.CONSOLIDATION: "Cons.",
    Manifestation.EFFUSION: "Eff.",
}
_SIDES = {"right": "R", "left": "L", "both": "R+L"}
_ORDER = {name: place for place, name in enumerate(
    ("right", "both", "left", "upper", "middle", "lower", "peripheral", "central")
)}  # fmt: skip
_SHORT = {"peripheral": "periph."}


@dataclass(frozen=True, slots=True)
class Row:
    """A lesion and what else its row says.

    Parameters
    ----------
    lesion
        Which.
    decision
        The reader's.
    probability
        Of its manifestation in its slice, in [0, 1]; None where it is not computed.
    """

    lesion: Lesion
    decision: Decision = Decision()  # noqa: RUF009 - frozen
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table.

    Parameters
    ----------
    title, tip
        Header, with the unit, and what it means.
    text
        What a cell says.
    value
        What it is sorted by; None where it is not known.
    number
        Figures stand under each other on the right.
    """

    title: str
    tip: str
    text: Callable[[Row], str]
    value: Callable[[Row], float | None]
    number: bool = False


def _millilitres(lesion: Lesion) -> str:
    return _UNKNOWN if lesion.volume_ml is None else f"{lesion.volume_ml:.2f}"


def _density(lesion: Lesion) -> str:
    return _UNKNOWN if lesion.mean_hu is None else str(round(lesion.mean_hu)).replace("-", "−")


def _rank(word: str | None) -> float | None:
    return None if word is None else float(_ORDER[word])


def _diameter(lesion: Lesion) -> str:
    return _UNKNOWN if lesion.diameter_mm is None else f"{lesion.diameter_mm:.0f}"


_MARKS = {None: "", Verdict.ACCEPTED: "✓", Verdict.REJECTED: "✗"}
_ORDER_OF_VERDICTS = {None: 1.0, Verdict.ACCEPTED: 0.0, Verdict.REJECTED: 2.0}

COLUMNS = (
    Column("#", "Number, the largest lesion first",
            lambda row: str(row.lesion.number), lambda row: float(row.lesion.number), number=True),
    Column("R", "The reader: ✓ accepted, ✗ rejected, nothing: not decided",
            lambda row: _MARKS[row.decision.verdict] + ("…" if row.decision.comment else ""),
            lambda row: _ORDER_OF_VERDICTS[row.decision.verdict]),
    Column("Type", "Which manifestation",
            lambda row: _TYPES[row.lesion.key],
            lambda row: float(list(Manifestation).index(row.lesion.key))),
    Column("ml", "Volume in millilitres", lambda row: _millilitres(row.lesion),
            lambda row: row.lesion.volume_ml, number=True),
    Column("∅", "Largest diameter in a slice, in mm", lambda row: _diameter(row.lesion),
            lambda row: row.lesion.diameter_mm, number=True),
    Column("HU", "Mean density in Hounsfield units", lambda row: _density(row.lesion),
            lambda row: row.lesion.mean_hu, number=True),
    Column("Slice", "Slice with its middle, counted as under the picture",
            lambda row: str(row.lesion.voxel[2] + 1), lambda row: float(row.lesion.voxel[2]),
            number=True),
    Column("p", "Probability of this manifestation in that slice, by the network that labels "
            "slices",
            lambda row: _UNKNOWN if row.probability is None else f"{row.probability:.2f}",
            lambda row: row.probability, number=True),
    Column("Side", "The patient's right (R) or left (L) lung; R+L: it reaches into both",
            lambda row: _UNKNOWN if row.lesion.side is None else _SIDES[row.lesion.side],
            lambda row: _rank(row.lesion.side)),
    Column("Zone", "Third of that lung's height, not a lobe",
            lambda row: row.lesion.zone or _UNKNOWN, lambda row: _rank(row.lesion.zone)),
    Column("Place", f"Peripheral: at least half of it lies within {PERIPHERAL_MM:g} mm of the "
            "lung's surface, in the slice",
            lambda row: _UNKNOWN if row.lesion.place is None
            else _SHORT.get(row.lesion.place, row.lesion.place),
            lambda row: _rank(row.lesion.place)),
)  # fmt: skip
