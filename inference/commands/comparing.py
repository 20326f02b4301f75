"""``secondread crossvalidate``, ``leaveout``, ``cuts``: networks trained to be compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inference.commands.options import Folder, Settings
from inference.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.models import ModelStore
    from inference.training.evaluation.figure import Figure
    from inference.training.recipe import Recipe

__all__ = ["register"]


def cross_validate(
    data: Folder,
    recipe: Annotated[
        list[str],
        typer.Option(
            help="A shipped recipe's name, or a TOML file; may be repeated for separate streams, "
            "which are scored together."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Where runs, models and tables are kept.")],
    folds: Annotated[str, typer.Option(help="Folds to hold out, one by one.")] = "0,1,2,3,4",
    steps: Annotated[
        int | None, typer.Option(min=1, help="Fewer or more steps than the recipe says.")
    ] = None,
    settings: Settings = None,
    init: Annotated[
        list[str] | None,
        typer.Option(
            help="As in train, once or once a recipe; {fold} becomes the fold. [default: random]"
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            help="Of a network with a U-Net's decoder, a stream to score; may be repeated. "
            "[default: all]"
        ),
    ] = None,
    silence: Annotated[
        list[str] | None,
        typer.Option(
            help="As NAME:STREAM, a network that says nothing of a stream in the mixed form; may "
            "be repeated."
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    enter: Annotated[
        str,
        typer.Option(
            help="Enter the figures under this title beside the models, where evaluate shows them."
        ),
    ] = "",
    models: Annotated[Path | None, typer.Option(help="Another model store to enter in.")] = None,
) -> None:
    """Train a recipe once a fold and score all pictures, each by the model that did not see it.

    The recipe's own folds are not used: fold K is held out, the other four are trained on. Weights
    to start from (--init) and pseudo-labels must not know the held-out groups either: write {fold}
    in their path and make them once a fold. Run the same command again to go on after a break. OUT
    gets figures.json and figures.md.
    """
    import dataclasses

    from rich.console import Console

    from inference.models import ModelStore
    from inference.training.crossvalidate import cross_validate as run
    from inference.training.manifest import read_manifest
    from inference.training.page import page_of_folds
    from inference.training.recipe import load_recipe
    from inference.training.report import print_tables, write_json

    try:
        chosen_folds = [int(fold) for fold in folds.split(",")]
    except ValueError as error:
        raise BadInputError(f"--folds takes numbers like 0,1,2, not {folds!r}.") from error
    recipes = [load_recipe(name, settings or ()) for name in recipe]
    if steps is not None:
        recipes = [dataclasses.replace(r, steps=steps) for r in recipes]
    console = Console(width=160) if not Console().is_terminal else Console()
    rows = read_manifest(data)
    starts = tuple(init or ("random",))
    figures = run(
        recipes, rows, out, folds=chosen_folds, device=device, init=starts, keep=tuple(keep or ()),
        silence=tuple(silence or ()), tell=console.print,
    )  # fmt: skip
    print_tables(figures, console)
    write_json(figures, out / "figures.json")
    names = ", ".join(r.words() for r in recipes)
    held_out = ", ".join(map(str, sorted(set(chosen_folds))))
    page = page_of_folds(figures, f"{names}; folds held out: {held_out}.")
    (out / "figures.md").write_text(page, encoding="utf-8")
    console.print(f"wrote {out / 'figures.md'} and figures.json")
    if enter:
        store = ModelStore(models)
        _enter_lever(store, enter, recipes, starts, out, chosen_folds, figures)
        console.print(f"entered as {enter!r}")


def _enter_lever(
    store: ModelStore,
    title: str,
    recipes: list[Recipe],
    starts: Sequence[str],
    out: Path,
    folds: list[int],
    figures: list[Figure],
) -> None:
    """Enter a cross-validation in the store that evaluate reads; the runs say what they took."""
    from inference.models import ModelStore
    from inference.training import levers
    from inference.training.experiments import Experiment
    from inference.training.install import start_of

    runs = [
        record
        for fold in folds
        for record in ModelStore(out / f"fold-{fold}" / "store").records
        if record.name in {r.name for r in recipes}
    ]
    lever = Experiment(
        title=title,
        recipes=", ".join(r.words() for r in recipes),
        start=", ".join(start_of(one) for one in starts),
        folds=tuple(sorted(set(folds))),
        device=", ".join(dict.fromkeys(r.device for r in runs)),
        seconds=sum(r.seconds for r in runs),
        figures=tuple(figures),
    )
    levers.enter(lever, store.folder)


def leave_out(
    data: Folder,
    recipe: Annotated[str, typer.Option(help="A shipped recipe's name, or a TOML file.")],
    source: Annotated[
        list[str], typer.Option(help="A source of the manifest; repeat it for one network each.")
    ],
    out: Annotated[Path, typer.Option(help="Where runs and models are kept.")],
    steps: Annotated[
        int | None, typer.Option(min=1, help="Fewer or more steps than the recipe says.")
    ] = None,
    settings: Settings = None,
    init: Annotated[str, typer.Option(help="As in train.")] = "random",
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    models: Annotated[Path | None, typer.Option(help="Another model store to enter in.")] = None,
    enter: Annotated[
        bool, typer.Option("--enter", help="Enter the figures where evaluate shows them.")
    ] = False,
) -> None:
    """Train recognition without a source, and score it on that source.

    A source that took no part in training shows what was learned of the disease, not of a
    hospital. A recogniser of CT is scored by itself and joined with the evidence of the lesion
    streams, which is fitted without the source as well. Run the same command again to go on after
    a break.
    """
    import dataclasses

    from rich.console import Console

    from inference.models import ModelStore
    from inference.training import leaveout
    from inference.training.manifest import read_manifest
    from inference.training.recipe import load_recipe
    from inference.training.report import print_tables

    console = Console(width=160) if not Console().is_terminal else Console()
    rows = read_manifest(data)
    chosen = load_recipe(recipe, settings or ())
    if steps is not None:
        chosen = dataclasses.replace(chosen, steps=steps)
    store = ModelStore(models)
    for name in source:
        figures, record = leaveout.leave_out(
            chosen, rows, name, out, device=device, init=init, joined_with=store,
            tell=console.print,
        )  # fmt: skip
        print_tables(figures, console)
        if enter:
            leaveout.enter(chosen, name, record, figures, store.folder, init=init)
            console.print(f"entered in {store.folder / leaveout.FILE}")


def cuts(
    data: Folder,
    stream: Annotated[
        list[str], typer.Option(help="ggo, consolidation or effusion; may be repeated.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of a finished cross-validation (--out). [default: validation groups]",
            show_default=False,
        ),
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="One threshold a stream, which few slices can bear.")
    ] = False,
    form: Annotated[
        str, typer.Option(help="Of the streams; default: the shipped one's.")
    ] = "default",
    keep: Annotated[
        list[str] | None, typer.Option(help="As the cross-validation was given it.")
    ] = None,
    silence: Annotated[
        list[str] | None, typer.Option(help="As the cross-validation was given it.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    models: Annotated[Path | None, typer.Option(help="Another model store.")] = None,
    enter: Annotated[
        bool, typer.Option("--enter", help="Enter them in the models' manifest.")
    ] = False,
) -> None:
    """Choose at which probabilities streams become masks: a seed, and an edge to grow to.

    They suit best the slices of the folds that the shipped models are not tested on, each as
    networks of the cross-validation see it that were trained without it; or the validation groups,
    as the shipped networks see them.
    """
    from inference.findings import Manifestation
    from inference.models import ModelStore
    from inference.training.cutting import choose_cuts, enter_cuts
    from inference.training.manifest import read_manifest

    known = [key.value for key in Manifestation]
    if strange := [name for name in stream if name not in known]:
        raise BadInputError(f"There is no stream {strange[0]!r}; there are {', '.join(known)}.")
    store = ModelStore(models)
    chosen = choose_cuts(
        read_manifest(data), out, store, store.default_streams if form == "default" else form,
        [Manifestation(name) for name in stream], plain=plain, keep=tuple(keep or ()),
        silence=tuple(silence or ()), device=device,
    )  # fmt: skip
    for key, cut in chosen.cuts.items():
        typer.echo(
            f"{key.label}, form {chosen.form}: marked where the probability {cut.in_words()}"
        )
    typer.echo(chosen.basis[0].upper() + chosen.basis[1:] + ".")
    if enter:
        enter_cuts(chosen, store)
        typer.echo(f"entered in {store.folder / 'manifest.json'}")


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("crossvalidate")(cross_validate)
    app.command("leaveout")(leave_out)
    app.command("cuts")(cuts)
