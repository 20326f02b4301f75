"""The training loop: seeded by step, resumable, logged, without pickle."""

from __future__ import annotations

import csv
import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from safetensors.torch import load_file, save_file
from torch import nn

from inference import device as devices
from inference.errors import BadInputError
from inference.networks.factory import make_network
from inference.networks.recognition import Recogniser
from inference.preprocess import MEAN, STD
from inference.training.augment import augment, corrupt, mixup
from inference.training.blinding import blind
from inference.training.datasets import Dataset
from inference.training.groups import remember_groups
from inference.training.imagenet import network_from_imagenet
from inference.training.losses import (
    PICTURE,
    manifestation_loss,
    recognition_loss,
    recognition_losses,
    streams_loss,
)
from inference.training.lung_atlas import lungs_at
from inference.training.recipe import Recipe
from inference.training.worst_groups import GROUPS, WorstGroups

__all__ = ["TrainingResult", "train"]


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a run left.

    Parameters
    ----------
    weights
        The averaged weights, float16 safetensors.
    steps
        Steps done in all.
    seconds
        Wall time, the part before a resume included.
    device
        In words.
    """

    weights: Path
    steps: int
    seconds: float
    device: str


class _Average:
    """Exponential moving average of weights and running statistics, with a warm start."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state = {k: v.detach().clone() for k, v in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        for key, value in network.state_dict().items():
            if value.is_floating_point():
                self.state[key].lerp_(value, 1 - decay)
            else:
                self.state[key].copy_(value)


def _learning_rate(recipe: Recipe, step: int) -> float:
    if step < recipe.warmup:
        return recipe.learning_rate * (step + 1) / recipe.warmup
    done = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def _batch(
    data: Dataset, recipe: Recipe, step: int, device: torch.device
) -> tuple[torch.Tensor, dict[str, torch.Tensor], torch.Tensor | None]:
    """The batch of a step: a function of seed and step alone."""
    chooser = np.random.default_rng([recipe.seed, step])
    chosen = chooser.choice(len(data), size=recipe.batch, p=data.weights)
    generator = torch.Generator().manual_seed(int(chooser.integers(2**62)))
    torch.manual_seed(int(chooser.integers(2**62)))  # dropout
    masks = None if data.masks is None else torch.from_numpy(data.masks[chosen]).to(device)
    pictures, known = data.pictures[chosen], {t: v[chosen] for t, v in data.targets.items()}
    shares = (recipe.augment.blind, recipe.augment.only_lungs)
    if data.lungs is not None and max(shares) > 0:
        lungs = lungs_at(data.lungs, pictures.shape[1:])
        pictures, known = blind(pictures, known, lungs, shares, chooser)
    x, masks = augment(
        torch.from_numpy(pictures).to(device),
        masks,
        recipe.augment,
        recipe.crop or recipe.size,
        generator,
    )
    targets = {t: torch.from_numpy(v).to(device) for t, v in known.items()}
    if recipe.kind != "streams":
        x, targets = mixup(x, targets, recipe.augment.mixup, generator)
    elif PICTURE in recipe.network["streams"]:
        targets[PICTURE] = x.clone()
        x, masks = corrupt(x, masks, recipe.augment.corrupt, generator)
    x = x.sub_(MEAN).div_(STD).contiguous(memory_format=torch.channels_last)
    return x, targets, masks


def _loss(
    recipe: Recipe,
    output: Any,
    targets: dict[str, torch.Tensor],
    masks: torch.Tensor | None,
    worst: WorstGroups | None,
) -> torch.Tensor:
    if worst is not None:
        weighed: torch.Tensor = worst(recognition_losses(output, targets), targets[GROUPS])
        return weighed
    if recipe.kind in {"recognition", "domain"}:
        return recognition_loss(output, targets)
    if recipe.kind == "manifestations":
        return manifestation_loss(output, targets["manifestations"])
    if masks is None:
        raise BadInputError("Streams are trained on pictures that have masks.")
    return streams_loss(output, masks, recipe.loss, targets.get(PICTURE))


class _Checkpoint:
    """Weights, average and optimiser state as safetensors; counters as JSON."""

    def __init__(self, folder: Path) -> None:
        self.tensors = folder / "checkpoint.safetensors"
        self.counters = folder / "checkpoint.json"

    def save(
        self,
        network: nn.Module,
        average: _Average,
        optimiser: torch.optim.Optimizer,
        worst: WorstGroups | None,
        recipe: Recipe,
        step: int,
        seconds: float,
    ) -> None:
        tensors = {f"network/{k}": v for k, v in network.state_dict().items()}
        tensors |= {f"average/{k}": v for k, v in average.state.items()}
        for index, state in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser/{index}/{k}": torch.as_tensor(v) for k, v in state.items()}
        if worst is not None:
            tensors["groups/weights"] = worst.weights
        temporary = self.tensors.with_suffix(".part")
        save_file({k: v.detach().contiguous().cpu() for k, v in tensors.items()}, temporary)
        temporary.replace(self.tensors)
        self.counters.write_text(
            json.dumps({"step": step, "seconds": seconds, "recipe": recipe.sha256})
        )

    def load(
        self,
        network: nn.Module,
        average: _Average,
        optimiser: torch.optim.Optimizer,
        worst: WorstGroups | None,
        recipe: Recipe,
    ) -> tuple[int, float]:
        """Restore, and say how many steps and seconds lie behind; (0, 0) without a checkpoint."""
        if not (self.tensors.is_file() and self.counters.is_file()):
            return 0, 0.0
        counters = json.loads(self.counters.read_text())
        if counters["recipe"] != recipe.sha256:
            raise BadInputError(
                f"{self.tensors.parent} holds a run of another recipe; name another --out folder."
            )
        tensors = load_file(self.tensors)
        parts: dict[str, dict[str, torch.Tensor]] = {"network": {}, "average": {}}
        state: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in tensors.items():
            part, rest = key.split("/", 1)
            if part == "optimiser":
                index, name = rest.split("/", 1)
                state.setdefault(int(index), {})[name] = value
            elif part == "groups":
                if worst is not None:
                    worst.weights.copy_(value)
            else:
                parts[part][rest] = value
        network.load_state_dict(parts["network"])
        for key, value in parts["average"].items():
            average.state[key].copy_(value)
        groups = optimiser.state_dict()["param_groups"]
        optimiser.load_state_dict({"state": state, "param_groups": groups})
        return int(counters["step"]), float(counters["seconds"])


@contextmanager
def _logs(folder: Path, *, append: bool) -> Iterator[Any]:
    """A function that logs (step, values) to CSV, and to TensorBoard where it is installed."""
    path = folder / "log.csv"
    fresh = not (append and path.is_file())
    try:
        from torch.utils.tensorboard import SummaryWriter

        board = SummaryWriter(str(folder / "tensorboard"))
    except ImportError:
        board = None
    with path.open("w" if fresh else "a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if fresh:
            writer.writerow(("step", "loss", "learning_rate", "seconds_per_step"))

        def log(step: int, loss: float, rate: float, seconds: float) -> None:
            writer.writerow((step, f"{loss:.5f}", f"{rate:.3e}", f"{seconds:.3f}"))
            file.flush()
            if board is not None:
                board.add_scalar("loss", loss, step)
                board.add_scalar("learning rate", rate, step)

        yield log
    if board is not None:
        board.close()


def _groups(network: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Body and linear heads, which may learn at another rate."""
    body: list[nn.Parameter] = []
    heads: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            is_head = recipe.kind == "recognition" and name.startswith("heads.")
            (heads if is_head else body).append(parameter)
    rate = recipe.learning_rate
    return [{"params": body, "lr": rate}, {"params": heads, "lr": rate * recipe.head_rate}]


def _worst(data: Dataset, recipe: Recipe) -> WorstGroups | None:
    members = data.targets.get(GROUPS)
    return None if members is None else WorstGroups(members.shape[1], recipe.loss.group_step)


def _half(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {
        k: (v.half() if v.is_floating_point() else v).contiguous().cpu() for k, v in state.items()
    }


def train(
    recipe: Recipe,
    data: Dataset,
    folder: Path,
    *,
    device: str = "auto",
    resume: bool = False,
    init: str = "random",
    quiet: bool = False,
) -> TrainingResult:
    """Train a network and leave its averaged weights in a folder.

    Parameters
    ----------
    recipe
        What to do.
    data
        Training pictures.
    folder
        Gets ``weights.safetensors`` (float16), ``log.csv``, ``groups.json`` (whom the weights
        know), checkpoints and TensorBoard logs.
    device
        As `inference.device.choose`.
    resume
        Go on from the folder's checkpoint.
    init
        ``"random"``, ``"imagenet"`` (`imagenet.network_from_imagenet`) or a safetensors file whose
        tensors of equal name and shape are taken over.
    quiet
        No progress bar.

    Raises
    ------
    BadInputError
        When the folder holds a run of another recipe, or `init` is of no use.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remember_groups(data.groups, init, folder)
    where = devices.choose(device)
    torch.manual_seed(recipe.seed)
    if init == "imagenet":
        network = network_from_imagenet(recipe.kind, recipe.network)
    else:
        network = make_network(recipe.kind, recipe.network)
    if init not in {"random", "imagenet"}:
        _take_over(network, Path(init))
    if isinstance(network, Recogniser) and network.region is not None and data.lungs is not None:
        network.look_at(torch.from_numpy(data.lungs))
    devices.channels_last(network.to(where))
    dtype = devices.low_precision(where) if recipe.precision == "auto" else None
    optimiser = torch.optim.AdamW(_groups(network, recipe), weight_decay=recipe.weight_decay)
    average = _Average(network, recipe.ema)
    worst = _worst(data, recipe)
    if worst is not None:
        worst.to(where)
    checkpoint = _Checkpoint(folder)
    first, spent = (
        checkpoint.load(network, average, optimiser, worst, recipe) if resume else (0, 0.0)
    )
    start = time.perf_counter() - spent
    network.train()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("loss {task.fields[loss]:.4f}"),
    )
    with _logs(folder, append=first > 0) as log, Progress(*columns, disable=quiet) as bar:
        task = bar.add_task(recipe.name, total=recipe.steps, completed=first, loss=float("nan"))
        running, since = [], time.perf_counter()
        for step in range(first, recipe.steps):
            rate = _learning_rate(recipe, step)
            for group, factor in zip(optimiser.param_groups, (1.0, recipe.head_rate), strict=True):
                group["lr"] = rate * factor
            x, targets, masks = _batch(data, recipe, step, where)
            with devices.autocast(where, dtype):
                loss = _loss(recipe, network(x), targets, masks, worst)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
            average.update(network, step)
            running.append(float(loss.detach()))
            if (step + 1) % 20 == 0 or step + 1 == recipe.steps:
                mean = float(np.mean(running))
                log(step + 1, mean, rate, (time.perf_counter() - since) / len(running))
                bar.update(task, completed=step + 1, loss=mean)
                running, since = [], time.perf_counter()
            if (step + 1) % recipe.checkpoint_every == 0:
                seconds = time.perf_counter() - start
                checkpoint.save(network, average, optimiser, worst, recipe, step + 1, seconds)
    weights = folder / "weights.safetensors"
    save_file(_half(average.state if recipe.ema > 0 else dict(network.state_dict())), weights)
    return TrainingResult(
        weights, recipe.steps, time.perf_counter() - start, devices.describe(where)
    )


def _take_over(network: nn.Module, path: Path) -> None:
    if not path.is_file():
        raise BadInputError(f"--init is 'random', 'imagenet' or a safetensors file, not {path}.")
    own = network.state_dict()
    taken = {
        k: v.to(own[k].dtype)
        for k, v in load_file(path).items()
        if k in own and own[k].shape == v.shape
    }
    if not taken:
        raise BadInputError(f"{path.name} has no tensor in common with this network.")
    network.load_state_dict(taken, strict=False)
