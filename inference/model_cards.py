"""Model cards (Mitchell et al. 2019): what a model is for, what it saw, how well it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from inference.models import ModelRecord, ModelStore

__all__ = ["INTENDED_USE", "LIMITS", "NOTICE", "card", "pages", "write_pages"]

NOTICE: Final = "Research use only. Not for diagnosis."

INTENDED_USE: Final = {
    "recognition": (
        "to study how a network tells the pictures of its sources apart, beside a radiologist's "
        "own reading. Not to find, exclude or rate a disease in a person."
    ),
    "manifestations": (
        "to say on which CT slices of a patient with pneumonia to look for a manifestation. "
        "Not to exclude one."
    ),
    "domain": (
        "to warn that a picture is not what the other models know. Not to say that one is fit to "
        "be read, and not to sort pictures."
    ),
    "evidence": (
        "to study how far what a lesion network sees tells COVID-19 from other chests on CT, "
        "joined with a recogniser of whole pictures. Not to find, exclude or rate a disease in a "
        "person."
    ),
    "streams": (
        "to propose outlines on chest CT that a radiologist checks and corrects, and to measure "
        "them for research. Not to follow or treat a person by."
    ),
}
"""What each kind of model is for, and what it is not for."""

LIMITS: Final = {
    "recognition": (
        "sources differ in hospital, age and scanner as well as in disease, so expect less on a "
        "hospital it has not seen, of the probabilities too."
    ),
    "manifestations": (
        "trained on slices of patients with COVID-19 and on one healthy chest; what it says of "
        "other diseases is unknown, and few slices without the manifestation were there to score "
        "it on."
    ),
    "domain": (
        "what is no chest was made by code, so other real pictures may pass; lateral X-rays were "
        "seen only as projections of a few CT series, and children's X-rays come from one hospital."
    ),
    "evidence": (
        "lesions look alike in many diseases, so other pneumonias are called COVID-19 often; of "
        "use only with the very weights that it was fitted to; on a hospital that it has not seen "
        "it does worse, as the figures with a source left out show."
    ),
    "streams": (
        "trained on a few dozen slices; thin pleural effusions are mostly missed, vessels and "
        "partial volume at the diaphragm are sometimes taken for ground-glass opacity."
    ),
}
"""What a reader should know of each kind of model."""

_MADE_BY: Final = (
    "<!-- Made by `secondread models card --write docs/models`; change the manifest instead. -->\n"
)
_COLUMNS: Final = ("task", "source", "metric", "value", "95 % interval", "n", "groups")
_UNKNOWN: Final = "nothing has been written down yet for this kind of model."


def card(record: ModelRecord) -> str:
    """Write the card of a model in Markdown.

    Parameters
    ----------
    record
        Of the manifest; every figure on the card is one of its figures.
    """
    split = record.split
    return "\n".join(
        (
            f"# {record.name} {record.version}",
            "",
            f"**{NOTICE}**",
            "",
            f"- Intended use: {INTENDED_USE.get(record.kind, _UNKNOWN)}",
            f"- Limits: {LIMITS.get(record.kind, _UNKNOWN)}",
            f"- Licence: {record.licence}",
            "",
            "## Architecture",
            "",
            f"- Network: {record.architecture}",
            f"- Input: {_input(record)}",
            f"- Weights: `{record.file}`, {record.bytes / 1e6:.1f} MB, SHA-256 `{record.sha256}`",
            "",
            "## Data and training",
            "",
            f"- Trained on: {record.data}",
            f"- Recipe: `{record.recipe}` (SHA-256 `{record.recipe_sha256[:12]}…`)",
            f"- {_took(record)}",
            "",
            "## Split",
            "",
            "Groups are patients, or runs of similar slices where the source names no patients; "
            "none stands on two sides.",
            "",
            f"- Training: {_folds(split.train_folds)}; {_groups(split.trained_groups)} gave "
            "pictures",
            f"- Validation, on which choices were made: {_folds(split.validation_folds)}; "
            f"{_groups(split.validation_groups)}",
            "- Test: every other group; docs/results.md names any choice made with these in sight",
            "",
            "## Figures",
            "",
            *_figures(record.figures),
            "",
            *_calibrations(record),
        )
    )


def _input(record: ModelRecord) -> str:
    if not record.fitted_to:
        return f"{record.size} × {record.size} pixels, 8 bit, CLAHE"
    behind = " and ".join(f"{name} (SHA-256 `{sha[:12]}…`)" for name, sha in
                          record.fitted_to.items())  # fmt: skip
    return f"what {behind} say of a picture; with other weights it is not used"


def _took(record: ModelRecord) -> str:
    if not record.steps:
        return f"Fitting took {record.seconds / 60:.0f} min on {record.device}"
    return f"Training took {record.steps} steps, {record.seconds / 60:.0f} min on {record.device}"


def _folds(numbers: tuple[int, ...]) -> str:
    if not numbers:
        return "no fold"
    return ("fold " if len(numbers) == 1 else "folds ") + ", ".join(map(str, numbers))


def _groups(names: tuple[str, ...]) -> str:
    return "1 group" if len(names) == 1 else f"{len(names)} groups"


def _figures(figures: tuple[dict[str, Any], ...]) -> list[str]:
    if not figures:
        return ["None has been measured: how well this model does is not known."]
    return [
        "Measured on test groups. The interval is bootstrapped over groups.",
        "",
        "| " + " | ".join(_COLUMNS) + " |",
        "|---" * len(_COLUMNS) + "|",
        *(
            f"| {f['task']} | {f['source']} | {f['metric']} | {f['value']:.3f} "
            f"| {_interval(f['low'], f['high'])} | {f['n']} | {f['groups']} |"
            for f in figures
        ),
    ]


def _calibrations(record: ModelRecord) -> list[str]:
    if record.kind == "streams":
        return []
    lines = ["## Calibration", ""]
    current = [c for c in record.calibrations if c.sha256 == record.sha256]
    if not current:
        return [*lines, "Not calibrated: none has been fitted to these weights.", ""]
    for found in current:
        lines += [f"- {found.task}: {found.basis}"]
        if found.temperature is None or found.ece_after is None:
            continue
        shares = ", ".join(f"{100 * share:.0f} %" for share in found.shares)
        lines += [
            f"    - Temperature {found.temperature:.2f} (95 % {found.temperature_low:.2f} to "
            f"{found.temperature_high:.2f}, bootstrapped over groups); offsets "
            + ", ".join(f"{offset:+.2f}" for offset in found.offsets),
            f"    - Form: {found.reason}",
            f"    - Shares of the classes there: {shares}",
            f"    - Expected calibration error on these groups: {found.ece_before:.3f} before, "
            f"{found.ece_after:.3f} after (each group by a fit to the others)",
        ]
    return [*lines, ""]


def _interval(low: float | None, high: float | None) -> str:
    return "one group: none" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def pages(store: ModelStore) -> dict[str, str]:
    """Write every card of a store, and a page that lists them.

    Returns
    -------
    dict
        Content by file name: ``README.md`` and ``NAME.md`` for every model.
    """
    lines = [
        f"{_MADE_BY}# Models",
        "",
        f"**{NOTICE}** What each of the models in `resources/models` is, what it was trained on "
        "and how well it does:",
        "",
        *(f"- [{r.name}]({r.name}.md): {r.architecture}" for r in store.records),
        "",
    ]
    return {
        "README.md": "\n".join(lines),
        **{f"{record.name}.md": _MADE_BY + card(record) for record in store.records},
    }


def write_pages(store: ModelStore, folder: Path) -> tuple[Path, ...]:
    """Write `pages` into a folder, and take away the cards of models that are gone.

    Parameters
    ----------
    store
        The models.
    folder
        Made when it is not there. Of what else is in it only pages of this function are removed.

    Returns
    -------
    tuple
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = pages(store)
    for path in folder.glob("*.md"):
        if path.name not in made and path.read_text(encoding="utf-8").startswith(_MADE_BY):
            path.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return tuple(folder / name for name in made)
