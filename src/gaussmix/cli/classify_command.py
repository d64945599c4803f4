"""The arguments of `gaussmix classify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gaussmix.cli.reading_options import (
    Columns,
    Comment,
    Data,
    Decimal,
    DropMissing,
    Exclude,
    HasHeader,
    Missing,
    Separator,
    Weights,
)
from gaussmix.cli.shared_options import MOST_TIMES, Quiet, Seed, TableOut


def classify(
    data: Data,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="The column with the classes, text or numbers; an empty cell is a row of unknown class.",
            show_default=False,
        ),
    ] = None,
    predict: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="TABLE", help="Classify the rows of this table, not those of DATA.", show_default=False
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "-m",
            "--model",
            metavar="MODEL",
            help="A classifier saved with --save, in place of --target and a fit.",
            show_default=False,
        ),
    ] = None,
    n_components: Annotated[
        str,
        typer.Option("-k", "--components", metavar="K|1,2,3|auto", help="Components of each class."),
    ] = "auto",
    covariance_type: Annotated[
        str,
        typer.Option("--covariance", metavar="NAME,...|auto", help="Families of covariances to choose from."),
    ] = "auto",
    criterion: Annotated[
        str, typer.Option(metavar="cv|bic", help="What the model is chosen by: held-out rows, or BIC.")
    ] = "cv",
    share: Annotated[
        str,
        typer.Option(
            metavar="covariances|nothing|components",
            help="What classes share: what components of the family do, nothing, or all Gaussians.",
        ),
    ] = "covariances",
    shrinkage: Annotated[
        str,
        typer.Option(
            metavar="ROWS|auto", help="Rows that the common covariance counts as, in that of each component."
        ),
    ] = "auto",
    folds: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, max=MOST_TIMES, help="Parts of the rows, each held out once; 0: none is."
        ),
    ] = 5,
    reject_density: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="Give no class to rows that are as unlike the others as this share of the rows of the fit.",
        ),
    ] = 0.0,
    reject_posterior: Annotated[
        float,
        typer.Option(metavar="P", help="Give no class to rows whose best class is less probable than this."),
    ] = 0.0,
    columns: Columns = None,
    exclude: Exclude = None,
    weights: Weights = None,
    header: HasHeader = None,
    separator: Separator = None,
    decimal: Decimal = None,
    comment: Comment = None,
    na: Missing = None,
    drop_missing: DropMissing = False,
    output: TableOut = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="MODEL", help="Save the classifier here, for --model.", show_default=False),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="PNG",
            help="Draw how honest the probabilities are here (.png, .pdf, .svg).",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="HTML", help="Write a page about the classifier here.", show_default=False),
    ] = None,
    seed: Seed = None,
    quiet: Quiet = False,
) -> None:
    """Learn from a table which class its rows are of, say how well that goes, and classify rows.

    Each class has a mixture. Each fold is held out once while the others are learnt from. Accuracy, log-loss,
    Brier score and confusion are those of rows that were held out. Rows of unknown class help to learn.

    -o writes a line for each row: its number, the most probable class, the probability of each class, and the
    log-density, in nats. Rows of DATA with a known class were held out for it.
    """
    said = dict(locals())  # all arguments, as typer has converted them
    from gaussmix.cli.classify_options import read_classification
    from gaussmix.cli.classify_table import classify_table

    raise typer.Exit(classify_table(read_classification(said)))
