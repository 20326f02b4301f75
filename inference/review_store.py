"""A reader's decisions on lesions, kept between runs: one small file an analysis.

File names are hashes; the content names no patient, unless the reader wrote so in a comment.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from inference import locks
from inference.atomic import replace_text
from inference.errors import ExportRefusedError
from inference.lesion_review import Decision, Verdict
from inference.measurements.model import grid_key
from inference.merging import merged

if TYPE_CHECKING:
    from inference.findings import Findings
    from inference.lesion_review import Decisions
    from inference.studies.model import Volume

__all__ = ["default_folder", "load", "save"]

_FORMAT: Final = "secondread-lesion-review"
_VERSION: Final = 1
_WAIT_SECONDS: Final = 3.0
"""For another window, which writes for milliseconds."""


def default_folder() -> Path:
    """Where decisions are kept."""
    from platformdirs import user_data_path

    return user_data_path("secondread", appauthor=False) / "reviews"


def save(
    decisions: Decisions,
    findings: Findings,
    volume: Volume,
    folder: Path,
    base: Decisions | None = None,
) -> tuple[dict[int, Decision], str]:
    """Keep all decisions on one analysis, with what another window has decided meanwhile.

    Parameters
    ----------
    decisions
        By number of the lesion.
    findings, volume
        What was decided on: the decisions are shown with these findings alone.
    folder
        Made, for the user alone, when it is not there. A lock lies beside it.
    base
        What was kept when `decisions` began to differ from it; None to replace whatever is kept.

    Returns
    -------
    tuple
        What is kept now: what was decided since `base`, and all that was decided elsewhere; and a
        sentence where what was there could not be used.

    Raises
    ------
    ExportRefusedError
        When the folder cannot be written.
    """
    whole, damage = _told(decisions), ""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locks.held(folder.with_name(f".{folder.name}.lock"), _WAIT_SECONDS):
            if base is not None:
                there, damage = load(findings, volume, folder)
                known = _path(findings, volume, folder).exists() and not damage
                whole = merged(_told(base), whole, there if known else _told(base))
                if known and whole == there:
                    return whole, ""
            text = json.dumps(_to_json(whole), indent=1, ensure_ascii=False)
            replace_text(_path(findings, volume, folder), text + "\n")
    except OSError as error:
        raise ExportRefusedError(
            f"The decisions on lesions could not be kept in {folder} ({error.strerror or error}); "
            "export the lesion list before you close this series."
        ) from error
    return whole, damage


def _told(decisions: Decisions) -> dict[int, Decision]:
    """Those that say something."""
    return {number: each for number, each in decisions.items() if not each.empty}


def _to_json(decisions: Decisions) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "decisions": {
            str(number): {
                "verdict": None if each.verdict is None else each.verdict.value,
                "comment": each.comment,
            }
            for number, each in sorted(decisions.items())
        },
    }


def load(findings: Findings, volume: Volume, folder: Path) -> tuple[dict[int, Decision], str]:
    """Read what was decided on exactly these findings.

    Returns
    -------
    tuple
        Decisions by number of the lesion, and a sentence where the file could not be used.
    """
    path = _path(findings, volume, folder)
    try:
        document = json.loads(path.read_text("utf-8"))
        return _from_json(document, sum(s.lesions for s in findings.segments)), ""
    except FileNotFoundError:
        return {}, ""
    except OSError as error:
        return {}, (
            f"The decisions on lesions in {folder} could not be read ({error.strerror}); see that "
            "the folder may be read, and open the series again."
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        aside = path.with_suffix(".unreadable")
        path.replace(aside)
        return {}, (
            "The decisions on lesions kept for this analysis are damaged or of another version; "
            f"the file was set aside as {aside}."
        )


def _from_json(document: Any, lesions: int) -> dict[int, Decision]:
    if document["format"] != _FORMAT or document["version"] != _VERSION:
        raise ValueError("another format")
    found = {}
    for number, each in document["decisions"].items():
        verdict, comment = each["verdict"], each["comment"]
        if not 1 <= int(number) <= lesions or not isinstance(comment, str):
            raise ValueError("no such lesion")
        found[int(number)] = Decision(None if verdict is None else Verdict(verdict), comment)
    return found


def _path(findings: Findings, volume: Volume, folder: Path) -> Path:
    made = hashlib.sha256(f"{findings.system} {findings.created}".encode()).hexdigest()[:16]
    return folder / f"{grid_key(volume)}-{made}.json"
