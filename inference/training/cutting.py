"""Where the shipped streams are cut, chosen on slices that neither they nor their test know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inference.cuts import Cut
from inference.errors import BadInputError
from inference.findings import Manifestation
from inference.models import ModelStore
from inference.training.crossvalidate import held_out
from inference.training.evaluation import segmentation, thresholds
from inference.training.evaluation.figure import Job
from inference.training.manifest import Row

__all__ = ["Chosen", "choose_cuts", "enter_cuts"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """How streams are to be cut.

    Parameters
    ----------
    form
        Of `inference.models.FORMS`.
    cuts
        By manifestation.
    basis
        In words: on what they were chosen.
    """

    form: str
    cuts: dict[Manifestation, Cut]
    basis: str


def choose_cuts(
    rows: Sequence[Row],
    out: Path | None,
    store: ModelStore,
    form: str,
    streams: Sequence[Manifestation],
    *,
    plain: bool = False,
    keep: Sequence[str] = (),
    silence: Sequence[str] = (),
    device: str = "auto",
) -> Chosen:
    """Choose how the probabilities of streams become masks.

    What is chosen on are slices of folds that the shipped models train or choose on, each as the
    networks of a cross-validation see it that were trained without it; or, without a
    cross-validation, the validation groups as the shipped networks see them, which are fewer. The
    folds that the shipped models are tested on take no part.

    Parameters
    ----------
    rows
        Of `manifest.read_manifest`.
    out
        Folder of a finished `crossvalidate.cross_validate`; None: the validation groups.
    store
        Where the shipped models are.
    form
        Of `inference.models.FORMS`, as the cross-validation gives it.
    streams
        For which to choose.
    plain
        One threshold a stream, rather than a seed and an edge: for few slices.
    keep, silence, device
        As the cross-validation was given it.

    Raises
    ------
    BadInputError
        When the cross-validation lacks a fold or the form, there is no validation slice, or
        nothing is known of a stream.
    AnalysisError
        When the shipped models lack the form.
    """
    if out is None:
        parts, basis = _of_validation(rows, store, form, device)
    else:
        parts, basis = _of_folds(rows, out, store, form, keep, silence, device)
    strange = [key.value for key in streams if key not in parts[0].keys]
    if strange:
        raise BadInputError(f"The form {form} does not mark {', '.join(strange)}.")
    cuts = thresholds.PLAIN if plain else thresholds.GROWN
    chosen = thresholds.choose([thresholds.try_out(part, cuts) for part in parts])
    slices = sum(len(part.rows) for part in parts)
    groups = len({row.group for part in parts for row in part.rows})
    words = f"chosen on {slices} slices of {groups} groups of {basis}"
    return Chosen(form, {key: chosen[key] for key in streams}, words)


def _of_validation(
    rows: Sequence[Row], store: ModelStore, form: str, device: str
) -> tuple[list[segmentation.Predictions], str]:
    store.streams(form)
    job = Job.begin(rows, store, ("validation",), device, None)
    found = segmentation.predict(job, forms=(form,))
    if not found:
        raise BadInputError(
            f"The manifest has no validation slice of the form {form}; name a cross-validation "
            "(--out)."
        )
    return list(found.values()), "validation, which none of the networks was trained on"


def _of_folds(
    rows: Sequence[Row],
    out: Path,
    store: ModelStore,
    form: str,
    keep: Sequence[str],
    silence: Sequence[str],
    device: str,
) -> tuple[list[segmentation.Predictions], str]:
    shipped = store.streams(form)
    folds = sorted({f for r in shipped for f in (*r.split.train_folds, *r.split.validation_folds)})
    name = f"streams ({form})"
    parts = []
    for fold in folds:
        job = held_out(rows, out, fold, keep, device, silence)
        found = segmentation.predict(job, forms=(form,))
        if name not in found:
            raise BadInputError(
                f"In {out} nothing of the form {form} is trained without fold {fold}; "
                "cross-validate it first."
            )
        parts.append(found[name])
    return parts, (
        f"folds {', '.join(map(str, folds))}, each as networks of a cross-validation see it that "
        "were trained without it"
    )


def enter_cuts(chosen: Chosen, store: ModelStore) -> None:
    """Enter them in the manifest, in place of those of the form."""
    store.form_cuts = {**store.form_cuts, chosen.form: chosen.cuts}
    store.cuts_reason = "; ".join(
        f"{key.label} of the form {chosen.form} is marked where its probability {cut.in_words()}"
        for key, cut in chosen.cuts.items()
    )
    store.cuts_reason += f" ({chosen.basis})."
    store.write(store.records)
