"""Recipes: everything that decides what training does, in one readable TOML file a network."""

from __future__ import annotations

import dataclasses
import hashlib
import tomllib
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from inference.errors import BadInputError
from inference.framing import CHEST, WHOLE

__all__ = [
    "AugmentSettings",
    "DataSettings",
    "LossSettings",
    "Recipe",
    "load_recipe",
    "shipped_recipes",
]

KINDS = ("recognition", "manifestations", "streams", "domain")
REGIONS = ("focal tversky", "dice", "iou")


@dataclass(frozen=True, slots=True)
class AugmentSettings:
    """Limits of the random changes; every value is a half-width around "no change".

    Parameters
    ----------
    rotation, shear
        Degrees.
    scale, shift
        Relative to the picture's side.
    flip
        Probability of a left-right flip.
    gamma, contrast, brightness
        Random window and gamma in logarithms (gamma, contrast) and in units of full scale.
    noise
        Largest standard deviation added, units of full scale.
    blur
        Probability of a blur or a sharpening.
    erase
        Probability that borders and corners, where text and marks stand, are blanked.
    mixup
        Beta parameter; 0 turns it off.
    blind, only_lungs
        Recognition on X-ray: share of pictures that lose their lungs and with them their label,
        and of those that keep nothing but their lungs (`training.blinding`).
    corrupt
        Streams that restore pictures: share of a picture that is cut out, about; half of it is
        the largest standard deviation of the noise.
    """

    rotation: float = 10.0
    shear: float = 4.0
    scale: float = 0.2
    shift: float = 0.08
    flip: float = 0.5
    gamma: float = 0.4
    contrast: float = 0.3
    brightness: float = 0.1
    noise: float = 0.03
    blur: float = 0.3
    erase: float = 0.0
    mixup: float = 0.0
    blind: float = 0.0
    only_lungs: float = 0.0
    corrupt: float = 0.3


@dataclass(frozen=True, slots=True)
class DataSettings:
    """Which rows and folds are used.

    Parameters
    ----------
    train_folds, validation_folds
        Folds of `manifest.fold_of_groups`; what is in neither is the test set.
    dicom_normals
        Groups of ``dicom_ct_series`` whose lung slices show no manifestation.
    normals_share
        Share of a batch drawn from `dicom_normals`.
    effusions
        Copies of every slice with a drawn pleural effusion (`inference.training.synthesis`).
    effusions_share
        Share of a batch taken from those copies.
    pseudo
        Folder of masks that ``secondread pseudo`` drew on unlabelled slices; "" for none.
    pseudo_share
        Share of a batch taken from those slices.
    pretext
        Streams: learn not from annotated slices but from CT pictures with lesions drawn into them
        (`inference.training.synthesis`), this many copies of each; 0 for annotated slices. A
        network with a stream ``"picture"`` learns to restore what was cut out of them too.
    modalities
        Recognition: of the manifest's modalities, those to learn from.
    leave_out
        Recognition: sources not to learn from (`inference.training.leaveout`).
    undersample
        Recognition: as many pictures of every modality, drawn by the seed, and drawn alike, as
        El-bana et al. have it for X-ray and CT together. Otherwise all are kept, and classes and
        sources are balanced when batches are drawn.
    """

    train_folds: tuple[int, ...] = (0, 2, 4)
    validation_folds: tuple[int, ...] = (3,)
    dicom_normals: tuple[str, ...] = ()
    normals_share: float = 0.15
    effusions: int = 0
    effusions_share: float = 0.25
    pseudo: str = ""
    pseudo_share: float = 0.3
    pretext: int = 0
    modalities: tuple[str, ...] = ("CT", "CXR")
    leave_out: tuple[str, ...] = ()
    undersample: bool = False


@dataclass(frozen=True, slots=True)
class LossSettings:
    """What is minimised beside the cross entropy.

    Parameters
    ----------
    region
        Streams: ``"focal tversky"`` (misses .7, false alarms .3), ``"dice"`` or ``"iou"``, soft and
        over the batch.
    union
        Single manifestations: the same loss of their union too, the infection, as one more part.
    boundary
        Weight of the pixels beside an outline above that of others, in the cross entropy of
        single manifestations (PraNet, Inf-Net: 5); 0 turns it off.
    group_step
        Recognition: how quickly weight moves to the source and class that is served worst
        (`training.worst_groups`); 0 turns it off.
    """

    region: str = "focal tversky"
    union: bool = False
    boundary: float = 0.0
    group_step: float = 0.0

    def __post_init__(self) -> None:
        if self.region not in REGIONS:
            raise BadInputError(
                f"A recipe's region loss is one of {', '.join(REGIONS)}, not {self.region!r}."
            )


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training run.

    Parameters
    ----------
    name, kind
        Name of the run, and which network and task (`KINDS`).
    seed
        Step s draws from (seed, s) alone, so a resumed run equals an uninterrupted one.
    size
        Side in pixels to which `preprocess.prepare` brings every picture; also used at inference.
    crop
        Side of the part shown to the network while training; at most `size`.
    framing
        Networks of CT slices: which part of a picture without HU is shown, `inference.framing`;
        also at inference. Where there are HU, it is the lungs either way.
    steps, batch, learning_rate, weight_decay, warmup
        AdamW with linear warm-up and cosine decay.
    head_rate
        Recognition: learning rate of the linear heads, relative to the rest. 2048 features that
        are all positive move a logit together: a step that suits the trunk shakes the heads.
    ema
        Decay of the averaged weights, which are those that are kept; 0 turns it off.
    precision
        ``"auto"`` (16 bit where it pays) or ``"float32"``.
    changes
        What `load_recipe` was told to change in the file; empty for the file as it is.
    sha256
        Of the file and the changes.
    """

    name: str
    kind: str
    seed: int
    size: int
    steps: int
    batch: int
    learning_rate: float
    crop: int = 0
    framing: str = WHOLE
    weight_decay: float = 1e-4
    warmup: int = 100
    head_rate: float = 1.0
    ema: float = 0.998
    precision: str = "auto"
    checkpoint_every: int = 200
    network: dict[str, Any] = field(default_factory=dict)
    data: DataSettings = field(default_factory=DataSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    augment: AugmentSettings = field(default_factory=AugmentSettings)
    changes: tuple[str, ...] = ()
    sha256: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInputError(f"A recipe's kind is one of {', '.join(KINDS)}, not {self.kind!r}.")
        if self.crop > self.size or min(self.steps, self.batch, self.size) < 1:
            raise BadInputError(
                "A recipe needs crop <= size, and steps, batch and size of at least 1."
            )
        if self.framing not in {WHOLE, CHEST} or (
            self.framing == CHEST and self.kind not in {"streams", "manifestations"}
        ):
            raise BadInputError(
                "A recipe's framing is whole or, for streams and manifestations, chest; "
                f"not {self.framing!r}."
            )
        if set(self.data.train_folds) & set(self.data.validation_folds):
            raise BadInputError("A fold cannot be for training and for validation at once.")

    def words(self) -> str:
        """Name, steps and changes, as tables show a recipe."""
        changed = "".join(f", {c}" for c in self.changes if not c.startswith("steps="))
        return f"{self.name} ({self.steps} steps{changed})"


def shipped_recipes() -> dict[str, Path]:
    """The recipes that come with SecondRead, by name."""
    folder = Path(str(resources.files("resources"))) / "recipes"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def _build(cls: type[Any], values: dict[str, Any], where: str) -> Any:
    known = {f.name for f in dataclasses.fields(cls)} - {"changes", "sha256"}
    unknown = set(values) - known
    if unknown:
        raise BadInputError(f"{where} has unknown settings: {', '.join(sorted(unknown))}.")
    hints = typing.get_type_hints(cls)
    converted: dict[str, Any] = {}
    for name, value in values.items():
        kind = hints[name]
        origin = typing.get_origin(kind)
        if dataclasses.is_dataclass(kind):
            converted[name] = _build(typing.cast("type[Any]", kind), value, f"{where} [{name}]")
        elif origin is tuple:
            converted[name] = tuple(value)
        elif isinstance(kind, types.GenericAlias) or kind is type(value):
            converted[name] = value
        elif kind is float and isinstance(value, int):
            converted[name] = float(value)
        else:
            raise BadInputError(f"{where}: {name} must be of type {kind.__name__}.")
    try:
        return cls(**converted)
    except TypeError as error:
        raise BadInputError(f"{where} is incomplete: {error}.") from error


def _merge(into: dict[str, Any], values: dict[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def load_recipe(name_or_path: str | Path, changes: Sequence[str] = ()) -> Recipe:
    """Read a recipe by the name of a shipped one, or from a file.

    Parameters
    ----------
    name_or_path
        Of the recipe.
    changes
        Settings in its place, as TOML has them: ``"steps=500"``, ``"loss.region='iou'"``. The
        SHA-256 is then that of the changed recipe.

    Raises
    ------
    BadInputError
        When there is none, or it holds a setting that is unknown, missing or of another type.
    """
    path = shipped_recipes().get(str(name_or_path), Path(name_or_path))
    if not path.is_file():
        raise BadInputError(
            f"There is no recipe {str(name_or_path)!r}; "
            f"shipped are {', '.join(shipped_recipes())}, or name a TOML file."
        )
    content = path.read_bytes()
    try:
        values = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path.name} is not valid TOML: {error}.") from error
    for change in changes:
        try:
            _merge(values, tomllib.loads(change))
        except tomllib.TOMLDecodeError as error:
            raise BadInputError(
                f"{change!r} is not a setting such as steps=500 or loss.region='iou' ({error})."
            ) from error
    recipe: Recipe = _build(Recipe, values, path.name)
    content += "".join(f"\n# {change}" for change in changes).encode()
    sha256 = hashlib.sha256(content).hexdigest()
    return dataclasses.replace(recipe, changes=tuple(changes), sha256=sha256)
