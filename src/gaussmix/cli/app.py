"""The subcommands and their options. What they do is imported when they run: `--help` needs none of it."""

from __future__ import annotations

import csv
import os
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from gaussmix._text import printable
from gaussmix.errors import DoubtfulFitWarning, InputError, ModelFileError

EXIT_CODES = (
    "Exit codes: 0 good, 1 the fit failed, 2 the input is wrong, 130 given up with Ctrl-C. "
    "A fit stopped by one Ctrl-C that saved its model is good."
)


class _Commands(TyperGroup):
    """Turns the errors that a user can cause into one line and an exit code, for every subcommand."""

    def main(self, *args: Any, **extra: Any) -> Any:
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except Exception as error:
            # Typer's own errors (a missing option, a word for a number) have had more than one base class.
            if not hasattr(error, "format_message"):
                raise
            context = getattr(error, "ctx", None)
            command = context.command_path if context is not None else "gaussmix"
            code = _failure(2, f"{error.format_message().rstrip('.')}; see {command} --help").exit_code
        sys.exit(code)

    def invoke(self, ctx: Any) -> Any:
        try:
            with warnings.catch_warnings():
                # What they warn of (overflow and the like) ends in a status or an error of ours.
                warnings.simplefilter("ignore", RuntimeWarning)
                warnings.simplefilter("ignore", UserWarning)
                warnings.simplefilter("always", DoubtfulFitWarning)  # those are for the user, and at once
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except (InputError, ModelFileError) as error:
            raise _failure(2, str(error)) from error
        except MemoryError as error:
            raise _failure(1, f"out of memory: {error}".rstrip(": ")) from error
        except KeyboardInterrupt as error:
            raise _failure(130, str(error) or "given up") from error
        except BrokenPipeError as error:
            # Whoever read the output has had enough (`| head`). What is still buffered goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from error


def _show_warning(message: Warning | str, *where: Any, **more: Any) -> None:
    """A warning as one line, without the place in the code that it comes from."""
    typer.echo(f"warning: {printable('; '.join(str(message).splitlines()))}", err=True)


def _failure(code: int, message: str) -> typer.Exit:
    typer.echo(f"error: {printable('; '.join(message.splitlines()))}", err=True)
    return typer.Exit(code)


app = typer.Typer(
    name="gaussmix",
    cls=_Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Fit Gaussian mixtures to tables and use them.",
    epilog=EXIT_CODES,
)


def main() -> None:
    """Run the command with the arguments of the process."""
    app(prog_name="gaussmix")


def _show_version(wanted: bool) -> None:
    if wanted:
        from gaussmix._version import __version__

        typer.echo(f"gaussmix {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _top(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="A table: .csv, .tsv, .txt, .parquet or .npy. A header is found; text is left out.",
    ),
]
Model = Annotated[Path, typer.Argument(metavar="MODEL", help="A model saved by 'gaussmix fit -o MODEL'.")]
Weights = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="A column with the weight of each row.", show_default=False),
]
TableOut = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", metavar="OUT", help="Write to this .csv, .tsv or .parquet.", show_default=False
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(min=0, help="For the same result each time. Default: drawn, and told.", show_default=False),
]


@app.command(epilog=EXIT_CODES)
def fit(
    data: Data,
    components: Annotated[
        int,
        typer.Option("-k", "--components", min=1, help="Number of components; of message-length, the most."),
    ],
    covariance: Annotated[
        str,
        typer.Option(
            help="full, tied, diag, spherical, one of mclust's names, such as VEV, or, for many columns, "
            "factor or ppca."
        ),
    ] = "full",
    factors: Annotated[
        str,
        typer.Option(
            metavar="auto|NUMBER",
            help="Number of factors of factor and ppca, fewer than columns. auto: the one of least BIC.",
        ),
    ] = "1",
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...", help="The columns to use. Default: every numeric one.", show_default=False
        ),
    ] = None,
    weights: Weights = None,
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
    seed: Seed = None,
    tol: Annotated[
        float, typer.Option(min=0, help="Stop when an iteration gains less log-likelihood per sample.")
    ] = 1e-3,
    reg_covar: Annotated[
        str,
        typer.Option(
            metavar="auto|NUMBER",
            help="auto keeps every variance above 1e-10 of its column's, and moves components that collapse. "
            "A number is added to the variances, in squared units of the data.",
        ),
    ] = "auto",
    max_iter: Annotated[int, typer.Option(min=1, help="Most iterations of a start.")] = 100,
    n_init: Annotated[int, typer.Option(min=1, help="Number of starts; the best is kept.")] = 1,
    init: Annotated[
        str,
        typer.Option(
            help="Where starts come from: auto (k-means, and a race against it), fast or thorough (races "
            "that cost less or more), kmeans, k-means++, random, random_from_data, agglomerative, pca or "
            "annealing."
        ),
    ] = "auto",
    prior: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="mclust: a weak prior that the data give, which keeps components from collapsing.",
            show_default=False,
        ),
    ] = None,
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
    noise: Annotated[
        str | None,
        typer.Option(
            metavar="auto|SHARE",
            help="A component of constant density for outliers, begun with this share of the rows.",
            show_default=False,
        ),
    ] = None,
    trim: Annotated[
        float,
        typer.Option(metavar="SHARE", help="Leave this share of the rows out: those of lowest density."),
    ] = 0.0,
    strategy: Annotated[
        str,
        typer.Option(
            help="em, or message-length: begin with -k components and find out how many there should be."
        ),
    ] = "em",
    acceleration: Annotated[
        str, typer.Option(help="Of slow fits: auto, quasi-newton, anderson, squarem or none.")
    ] = "auto",
    stopping: Annotated[
        str,
        typer.Option(help="What --tol bounds: change, in an iteration, or aitken, distance to the limit."),
    ] = "change",
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Keep here, every half minute, all it takes to go on with a fit that was cut off.",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Go on from this checkpoint, with the data and options that it was made with, and keep it "
            "(or that of --checkpoint) up to date.",
            show_default=False,
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Fit a mixture to a table, print it, and save it with -o.

    Ctrl-C stops the fit after the running iteration and keeps the best so far; a second Ctrl-C gives up.
    """
    from gaussmix.cli.fitting import FitFiles, FitOptions, fit_table

    options = FitOptions(
        n_components=components,
        covariance_type=covariance,
        tol=tol,
        reg_covar=reg_covar,
        max_iter=max_iter,
        n_init=n_init,
        init_params=init,
        acceleration=acceleration,
        stopping=stopping,
        seed=seed,
        prior=prior,
        eigenvalue_ratio=eigenvalue_ratio,
        equal_weights=equal_weights,
        min_weight=min_weight,
        noise=noise,
        trim=trim,
        n_factors=factors,
        strategy=strategy,
    )
    # As a line of CSV, so that a name with a comma can be quoted.
    picked = None if columns is None else [name.strip() for name in next(csv.reader([columns]), [])]
    files = FitFiles(data, output, plot, resume if checkpoint is None else checkpoint, resume)
    code = fit_table(files, options, columns=picked, weights=weights, quiet=quiet)
    raise typer.Exit(code)


@app.command()
def predict(model: Model, data: Data, output: TableOut = None) -> None:
    """Tell each row's component: label, probability of each component (p_0, p_1, ...), log_density.

    Noise has the label -1 and the probability p_noise.

    Columns are found by their names, in any order. Without -o, CSV goes to the standard output.
    """
    from gaussmix.cli.using import predict_table

    predict_table(model, data, output)


@app.command()
def score(
    model: Model,
    data: Data,
    weights: Weights = None,
    output: TableOut = None,
    rows: Annotated[
        bool, typer.Option("--rows", help="Print the log-density of each row as CSV, and nothing else.")
    ] = False,
) -> None:
    """Tell how well a model fits a table: log-likelihood, BIC, AIC; with -o the log_density of each row."""
    from gaussmix.cli.using import score_table

    score_table(model, data, weights, output, rows)


@app.command()
def sample(
    model: Model,
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="Number of rows to draw.")],
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
