"""From a finished run to an entry of the model manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from safetensors.torch import load_file, save_file

from inference.errors import BadInputError
from inference.models import ModelRecord, Split
from inference.training.datasets import Dataset
from inference.training.groups import groups_behind
from inference.training.loop import TrainingResult
from inference.training.recipe import Recipe

__all__ = ["architecture", "describe", "keep_streams", "start_of"]

_TRUNKS = {f"tf_efficientnet_lite{n}": f"EfficientNet-Lite{n}" for n in range(3)}


def architecture(recipe: Recipe) -> str:
    """The network of a recipe in words."""
    network = recipe.network
    if recipe.kind == "recognition":
        trunk = _TRUNKS.get(network.get("trunk", ""), "Inception-v3")
        return f"{trunk}, heads " + ", ".join(network["heads"])
    if recipe.kind == "manifestations":
        return f"ML-CNN, {network['blocks']} blocks of {network['kernels']} kernels 5 × 5"
    if recipe.kind == "domain":
        return f"CNN, {len(network['channels'])} blocks of 3 × 3, classes X-ray, CT, other"
    encoder = network["encoder"].removeprefix("tu-")
    encoder = _TRUNKS.get(encoder, encoder)
    form = f"{network['form']}, " if network["form"] == "shared" else ""
    streams = ", ".join(network["streams"])
    frame = "U-Net" if network.get("decoder") == "unet" else "DeepLab-v3+"
    return f"{frame} ({encoder} to stage {network['depth']}), {form}{streams}"


def start_of(init: str) -> str:
    """Where the weights started: a run by its name, not by where it lay."""
    return init if init in {"random", "imagenet"} else Path(init).parent.name


def describe(
    recipe: Recipe,
    data: Dataset,
    folds: dict[str, int],
    result: TrainingResult,
    init: str = "random",
) -> ModelRecord:
    """A record for `ModelStore.install`; hash and size are filled in there.

    Parameters
    ----------
    recipe, data
        What was trained, on what.
    folds
        Of the data folder; says which groups are for validation.
    result
        What the run left.
    init
        Where the weights started.
    """
    counts = Counter(data.sources)
    sources = ", ".join(f"{source} {n}" for source, n in sorted(counts.items()))
    validation = tuple(
        sorted(g for g, fold in folds.items() if fold in recipe.data.validation_folds)
    )
    return ModelRecord(
        name=recipe.name,
        version=datetime.now(UTC).strftime("%Y.%m.%d"),
        kind=recipe.kind,
        architecture=architecture(recipe),
        network=dict(recipe.network),
        size=recipe.size,
        modalities=recipe.data.modalities if recipe.kind == "recognition" else (),
        framing=recipe.framing,
        file="",
        sha256="",
        bytes=0,
        recipe=f"{recipe.name}.toml",
        recipe_sha256=recipe.sha256,
        data=f"{len(data)} pictures ({sources}), from {start_of(init)} weights",
        device=result.device,
        steps=result.steps,
        seconds=round(result.seconds, 1),
        split=Split(
            train_folds=recipe.data.train_folds,
            validation_folds=recipe.data.validation_folds,
            trained_groups=tuple(sorted({*data.groups, *groups_behind(init)})),
            validation_groups=validation,
        ),
    )


def keep_streams(
    weights: Path, record: ModelRecord, kept: Sequence[str], folder: Path
) -> tuple[Path, ModelRecord]:
    """Weights and record of streams without the heads that are not wanted.

    Parameters
    ----------
    weights
        Of shared streams with a U-Net's decoder, which one head a stream reads.
    record
        Theirs.
    kept
        Streams to keep.
    folder
        Gets the file.

    Raises
    ------
    BadInputError
        When there are no such streams, or they do not share their decoder.
    """
    streams = record.network.get("streams", {})
    if record.network.get("decoder") != "unet" or not kept or set(kept) - set(streams):
        raise BadInputError(
            "--keep names streams of a network that shares one decoder; this one has "
            f"{', '.join(streams) or 'none'}."
        )
    gone = [f"heads.{name}." for name in streams if name not in kept]
    tensors = {
        key: value
        for key, value in load_file(weights).items()
        if not any(key.startswith(head) for head in gone)
    }
    path = folder / f"{record.name}.safetensors"
    save_file(tensors, path)
    network = {**record.network, "streams": {k: n for k, n in streams.items() if k in kept}}
    words = record.architecture.replace(", ".join(streams), ", ".join(network["streams"]))
    return path, replace(record, network=network, architecture=words)
