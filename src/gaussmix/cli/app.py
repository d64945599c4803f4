"""The subcommands and their options. Each imports its work when it runs, so that `--help` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gaussmix.cli.classify_command import classify
from gaussmix.cli.commands import Commands, open_closed_streams
from gaussmix.cli.detect_command import detect
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
    make_reading,
)
from gaussmix.cli.shared_options import EXIT_CODES, MOST_TIMES, Model, Seed, TableOut
from gaussmix.fit.options import OPTIONS

#: Rows that may be drawn.
MOST_ROWS = 10**15

app = typer.Typer(
    name="gaussmix",
    cls=Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Fit Gaussian mixtures to tables and use them.",
    epilog=EXIT_CODES,
)


def main() -> None:
    """Run the command with the arguments of the process."""
    open_closed_streams()
    app(prog_name="gaussmix")


def _show_version(wanted: bool) -> None:
    if wanted:
        from gaussmix._version import __version__

        typer.echo(f"gaussmix {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _run_bare(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _make_option(name: str, *short: str, **more: Any) -> Any:
    """An option of a fit, with its spelling and help from the table of options."""
    option = OPTIONS[name]
    return typer.Option(*short, option.flag, metavar=option.metavar, help=option.help, **more)


@app.command(epilog=EXIT_CODES)
def fit(
    data: Data,
    n_components: Annotated[str | None, _make_option("n_components", "-k", show_default=False)] = None,
    covariance_type: Annotated[str | None, _make_option("covariance_type", show_default=False)] = None,
    criterion: Annotated[
        str, typer.Option(metavar="bic|aic|icl|cv", help="What the model is chosen by.")
    ] = "bic",
    n_factors: Annotated[str, _make_option("n_factors")] = "1",
    columns: Columns = None,
    exclude: Exclude = None,
    weights: Weights = None,
    header: HasHeader = None,
    separator: Separator = None,
    decimal: Decimal = None,
    comment: Comment = None,
    na: Missing = None,
    drop_missing: DropMissing = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="MODEL", help="Save the model here.", show_default=False),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="PNG", help="Draw the mixture over the data here (.png, .pdf, .svg).", show_default=False
        ),
    ] = None,
    plot_columns: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...",
            help="The columns that --plot shows. Default: up to six, those that tell components apart most.",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="HTML", help="Write a page about the models here.", show_default=False),
    ] = None,
    stability: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            max=MOST_TIMES,
            help="Search N resamples of the rows, too: is the same number chosen?",
        ),
    ] = 0,
    seed: Seed = None,
    tol: Annotated[float, _make_option("tol", min=0)] = OPTIONS["tol"].default,
    reg_covar: Annotated[str, _make_option("reg_covar")] = OPTIONS["reg_covar"].default,
    max_iter: Annotated[int, _make_option("max_iter", min=1)] = OPTIONS["max_iter"].default,
    n_init: Annotated[int, _make_option("n_init", min=1, max=MOST_TIMES)] = OPTIONS["n_init"].default,
    init_params: Annotated[str, _make_option("init_params")] = OPTIONS["init_params"].default,
    prior: Annotated[str | None, _make_option("prior")] = None,
    eigenvalue_ratio: Annotated[
        float | None,
        typer.Option(
            metavar="RATIO",
            help="Most by which the largest eigenvalue of all covariances may exceed the smallest.",
            show_default=False,
        ),
    ] = None,
    equal_weights: Annotated[
        bool, typer.Option("--equal-weights", help="Give all components the same weight.")
    ] = False,
    min_weight: Annotated[float, typer.Option(help="Least weight of a component.")] = 0.0,
    noise: Annotated[str | None, _make_option("noise")] = None,
    trim: Annotated[float, _make_option("trim")] = OPTIONS["trim"].default,
    strategy: Annotated[
        str,
        typer.Option(
            help="em, or message-length: begin with -k components and find out how many there should be."
        ),
    ] = "em",
    acceleration: Annotated[str, _make_option("acceleration")] = OPTIONS["acceleration"].default,
    stopping: Annotated[str, _make_option("stopping")] = OPTIONS["stopping"].default,
    checkpoint: Annotated[Path | None, _make_option("checkpoint")] = None,
    resume: Annotated[Path | None, _make_option("resume")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Fit mixtures to a table, choose one, and print what it says of the data.

    Without options, mclust's fourteen families with 1 to 9 components are tried. The best model is saved
    as DATA.safetensors and a page about all of them as DATA.html in this folder, unless -o or --report
    name files. -k and --covariance narrow the search; with one of each, that model is fitted, and saved
    with -o. --strategy, --checkpoint, --resume, --acceleration and --stopping are for one model, by default
    full.

    Ctrl-C stops the fit after the running iteration and keeps the best so far; a second Ctrl-C gives up.
    """
    said = dict(locals())  # all arguments, as typer has converted them
    from gaussmix.cli.fit_options import read_task
    from gaussmix.cli.fit_table import fit_table

    raise typer.Exit(fit_table(read_task(said)))


@app.command()
def predict(
    model: Model,
    data: Data,
    output: TableOut = None,
    header: HasHeader = None,
    separator: Separator = None,
    decimal: Decimal = None,
    comment: Comment = None,
    na: Missing = None,
    drop_missing: DropMissing = False,
) -> None:
    """Tell each row's component: label, probability of each component (p_0, p_1, ...), log_density.

    Noise has the label -1 and the probability p_noise.

    Columns are found by their names, in any order. Without -o, CSV goes to the standard output. With
    --drop-missing the first column, row, says which rows are there.
    """
    reading = make_reading(locals())
    from gaussmix.cli.using import predict_table

    predict_table(model, data, output, reading)


@app.command()
def score(
    model: Model,
    data: Data,
    weights: Weights = None,
    output: TableOut = None,
    rows: Annotated[
        bool, typer.Option("--rows", help="Print the log-density of each row as CSV, and nothing else.")
    ] = False,
    header: HasHeader = None,
    separator: Separator = None,
    decimal: Decimal = None,
    comment: Comment = None,
    na: Missing = None,
    drop_missing: DropMissing = False,
) -> None:
    """Tell how well a model fits a table: log-likelihood, BIC, AIC; with -o the log_density of each row."""
    reading = make_reading(locals())
    from gaussmix.cli.using import score_table

    score_table(model, data, output, rows, reading)


@app.command()
def sample(
    model: Model,
    number: Annotated[
        int,
        typer.Option("-n", "--number", min=1, max=MOST_ROWS, help="Number of rows to draw."),
    ],
    seed: Annotated[
        int | None, typer.Option(min=0, help="For the same rows each time.", show_default=False)
    ] = None,
    output: TableOut = None,
) -> None:
    """Draw rows from a model: its columns, and the component that each row came from (-1: the noise).

    Without -o, CSV goes to the standard output.
    """
    from gaussmix.cli.using import sample_table

    sample_table(model, number, seed, output)


@app.command()
def show(
    model: Model,
    everything: Annotated[bool, typer.Option("--all", help="Show every feature and component.")] = False,
) -> None:
    """Print a saved model and what is known about its fit."""
    from gaussmix.cli.using import show_model

    show_model(model, everything)


@app.command()
def report(
    model: Model,
    data: Data,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="HTML", help="Write the page here.")],
    weights: Weights = None,
    header: HasHeader = None,
    separator: Separator = None,
    decimal: Decimal = None,
    comment: Comment = None,
    na: Missing = None,
    drop_missing: DropMissing = False,
) -> None:
    """Write a page about a saved model and the table that it was fitted to.

    A page about many models, of which one is chosen, is what 'gaussmix fit DATA --report HTML' writes.
    """
    reading = make_reading(locals())
    from gaussmix.cli.telling import report_table

    report_table(model, data, output, reading)


@app.command()
def bootstrap(
    model: Model,
    data: Data,
    weights: Weights = None,
    method: Annotated[
        str,
        typer.Option(metavar="NAME", help="Resamples: nonparametric (rows drawn), parametric, weighted."),
    ] = "nonparametric",
    number: Annotated[
        int,
        typer.Option("-n", "--number", min=2, max=MOST_TIMES, help="Number of resamples."),
    ] = 999,
    level: Annotated[float, typer.Option(help="Of the intervals.")] = 0.95,
    seed: Annotated[
        int | None, typer.Option(min=0, help="For the same resamples each time.", show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Print every parameter.")] = False,
    header: HasHeader = None,
    separator: Separator = None,
    decimal: Decimal = None,
    comment: Comment = None,
    na: Missing = None,
    drop_missing: DropMissing = False,
) -> None:
    """Tell how sure the parameters of a saved model are: standard errors and intervals from resamples.

    Ctrl-C stops, with the resamples that are done; a second Ctrl-C gives up.
    """
    reading = make_reading(locals())
    from gaussmix.cli.telling import bootstrap_table

    bootstrap_table(
        model, data, reading, method=method, number=number, level=level, seed=seed, everything=everything
    )


app.command(epilog=EXIT_CODES)(detect)
app.command(epilog=EXIT_CODES)(classify)
