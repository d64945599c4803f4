"""The arguments of `gaussmix detect`."""

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


def detect(
    data: Data,
    train: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="TABLE",
            help="Learn from this table what is normal; rows of DATA get p-values then.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "-m",
            "--model",
            metavar="MODEL",
            help="A detector saved with --save, or a mixture saved by 'gaussmix fit', in place of a fit.",
            show_default=False,
        ),
    ] = None,
    novelty: Annotated[
        bool, typer.Option("--novelty", help="The rows of the fit are all normal: leave none out.")
    ] = False,
    contamination: Annotated[
        str, typer.Option(metavar="SHARE|auto", help="The share of the rows that are anomalies.")
    ] = "auto",
    fpr: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="The share of normal rows that may be flagged by mistake, in place of --contamination.",
            show_default=False,
        ),
    ] = None,
    fdr: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="The share of flagged rows that may be normal; needs the p-values of --train or --model.",
            show_default=False,
        ),
    ] = None,
    calibration: Annotated[
        str,
        typer.Option(
            metavar="auto|cross|split",
            help="P-values by five fits more, or one to 70 % of --train; auto: cross up to 5,000 rows.",
        ),
    ] = "auto",
    n_components: Annotated[
        str, typer.Option("-k", "--components", metavar="K|auto", help="Components of the normal rows.")
    ] = "auto",
    covariance_type: Annotated[
        str, typer.Option("--covariance", metavar="NAME|auto", help="Their family of covariances.")
    ] = "auto",
    trim: Annotated[
        str,
        typer.Option(metavar="SHARE|auto", help="The share of the rows that the fit leaves out as suspects."),
    ] = "auto",
    columns: Columns = None,
    exclude: Exclude = None,
    weights: Weights = None,
    header: HasHeader = None,
    separator: Separator = None,
    decimal: Decimal = None,
    comment: Comment = None,
    na: Missing = None,
    drop_missing: DropMissing = False,
    worst: Annotated[
        int, typer.Option(metavar="N", min=0, max=MOST_TIMES, help="Rows of lowest score to print.")
    ] = 10,
    explain: Annotated[
        int,
        typer.Option(metavar="N", min=0, max=MOST_TIMES, help="Features that reasons name; 0: no reasons."),
    ] = 3,
    output: TableOut = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="MODEL", help="Save the detector here, for --model.", show_default=False),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="PNG",
            help="Draw the scores and the threshold here (.png, .pdf, .svg).",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="HTML", help="Write a page about the anomalies here.", show_default=False),
    ] = None,
    seed: Seed = None,
    quiet: Quiet = False,
) -> None:
    """Find the rows of a table that do not belong among the others, and say why.

    A mixture is fitted to the rows that are normal, though anomalies are among them. A row of low density is
    an anomaly: one below a threshold that --contamination, --fpr or --fdr sets.

    -o writes a line for each row: its number, score (log-density, in nats; low is anomalous), p_value if
    there is one, whether it is an anomaly, and for anomalies the reasons: the features that have to change
    for the row to be as others are, with the value that was expected and what the change is worth, in nats.
    """
    said = dict(locals())  # all arguments, as typer has converted them
    from gaussmix.cli.detect_options import read_detection
    from gaussmix.cli.detect_table import detect_table

    raise typer.Exit(detect_table(read_detection(said)))
