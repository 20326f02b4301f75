"""What is known of a model in lower precision: ranges, and what it costs.

``graphs.json`` beside the model manifest holds it, by the SHA-256 of the weights, so that ranges
can never serve other weights. ``secondread quantise`` writes it. A model without an entry runs in
float32.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from inference.backends.quantise import Ranges
from inference.errors import AnalysisError
from inference.models import ModelStore

__all__ = ["BFLOAT16", "FLOAT32", "INT8", "GraphNotes", "read_notes", "write_notes"]

INT8: Final = "int8"
BFLOAT16: Final = "bfloat16"
FLOAT32: Final = "float32"

_FILE = "graphs.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class GraphNotes:
    """What was measured of one model's graph.

    Parameters
    ----------
    name
        Of the model, for people.
    calibrated_on
        In words: which pictures gave the ranges.
    ranges
        For `quantise.quantised`.
    allowed
        Precisions below float32 that cost little enough to be used.
    disagreement
        By precision: `choice.disagreement` with float32 on the probe, where it was right.
    costs
        Rows of figures: precision, metric, eager, graph, n, groups.
    """

    name: str
    calibrated_on: str
    ranges: Ranges
    allowed: tuple[str, ...] = ()
    disagreement: dict[str, float] = field(default_factory=dict)
    costs: tuple[dict[str, Any], ...] = ()

    def digest(self) -> str:
        """Changes with whatever could change a choice."""
        told = [dict(self.ranges), sorted(self.allowed), self.disagreement]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def _path(store: ModelStore) -> Path:
    return store.folder / _FILE


def _of(values: dict[str, Any]) -> GraphNotes:
    ranges = {name: (float(low), float(high)) for name, (low, high) in values["ranges"].items()}
    return GraphNotes(
        **{
            **values,
            "ranges": ranges,
            "allowed": tuple(values["allowed"]),
            "costs": tuple(values["costs"]),
        }
    )


def read_notes(store: ModelStore) -> dict[str, GraphNotes]:
    """Notes by SHA-256 of the weights; empty when the store has none.

    Raises
    ------
    AnalysisError
        When the file is damaged.
    """
    if not _path(store).is_file():
        return {}
    try:
        content = json.loads(_path(store).read_text(encoding="utf-8"))
        if content["format"] != _FORMAT:
            return {}
        return {digest: _of(values) for digest, values in content["models"].items()}
    except (KeyError, TypeError, ValueError) as error:
        raise AnalysisError(
            "The notes on the models' precision are damaged; install SecondRead again."
        ) from error


def write_notes(store: ModelStore, notes: dict[str, GraphNotes]) -> Path:
    """Write the notes of the store's own models; those of weights it no longer has are dropped."""
    present = {record.sha256: record.name for record in store.records}
    kept = {d: asdict(n) for d, n in notes.items() if d in present}
    ordered = dict(sorted(kept.items(), key=lambda item: present[item[0]]))
    text = json.dumps({"format": _FORMAT, "models": ordered}, indent=1, ensure_ascii=False)
    _path(store).write_text(text + "\n", encoding="utf-8")
    return _path(store)
