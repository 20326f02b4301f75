"""Which groups a run's weights know, those of the weights that it started from included."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

__all__ = ["groups_behind", "remember_groups"]

_FILE = "groups.json"


def groups_behind(init: str) -> set[str]:
    """The groups that the weights which a training starts from were trained on.

    Parameters
    ----------
    init
        As of `loop.train`: ``"random"``, ``"imagenet"`` or the weights of a run.
    """
    path = Path(init).parent / _FILE
    if init in {"random", "imagenet"} or not path.is_file():
        return set()
    return set(json.loads(path.read_text(encoding="utf-8")))


def remember_groups(groups: Iterable[str], init: str, folder: Path) -> None:
    """Write into a run's folder which groups its weights know, those of their start included."""
    known = sorted({*groups, *groups_behind(init)})
    (folder / _FILE).write_text(json.dumps(known, indent=0) + "\n", encoding="utf-8")
