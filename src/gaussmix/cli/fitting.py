"""`gaussmix fit`: check everything that can go wrong later, read, fit, save, print."""

from __future__ import annotations

import importlib.util
import itertools
import math
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import typer

from gaussmix._text import count, printable
from gaussmix.cli.display import print_model
from gaussmix.cli.progress import ProgressBar, StopOnInterrupt
from gaussmix.cli.strategies import STRATEGIES, by_message_length, check_alone, told
from gaussmix.cli.using import refuse_overwriting, tell_notes
from gaussmix.data.tables import TABLE_SUFFIXES, Table, read_table
from gaussmix.data.writing import check_output, replacing
from gaussmix.errors import FitError, InputError, ModelFileError
from gaussmix.fit.checkpoint import read_seed
from gaussmix.fit.iterate.acceleration import METHODS, Acceleration
from gaussmix.fit.iterate.stopping import Stopping
from gaussmix.fit.mstep.regularise import RegCovar
from gaussmix.fit.multistart import Progress
from gaussmix.fit.one_mixture import fit_mixture
from gaussmix.fit.options import NFactors
from gaussmix.fit.result import FitResult, FitStatus
from gaussmix.fit.starts import NAMES
from gaussmix.model.constraints import Constraints
from gaussmix.model.covariance import KNOWN, get_structure
from gaussmix.model.priors import NAMES as PRIORS

PICTURE_SUFFIXES = (".png", ".pdf", ".svg")

EXIT_GOOD, EXIT_FAILED, EXIT_INTERRUPTED = 0, 1, 130


@dataclass(frozen=True)
class FitOptions:
    """The options of `gaussmix fit` that concern the fit itself."""

    n_components: int
    covariance_type: str
    tol: float
    reg_covar: str
    max_iter: int
    n_init: int
    init_params: str
    acceleration: str
    stopping: str
    seed: int | None
    prior: str | None = None
    eigenvalue_ratio: float | None = None
    equal_weights: bool = False
    min_weight: float = 0.0
    noise: str | None = None
    trim: float = 0.0
    n_factors: str = "1"
    strategy: str = "em"


@dataclass(frozen=True)
class FitFiles:
    """The files that `gaussmix fit` reads and writes."""

    data: Path
    output: Path | None = None
    plot: Path | None = None
    checkpoint: Path | None = None
    resume: Path | None = None


def fit_table(
    files: FitFiles,
    options: FitOptions,
    *,
    columns: Sequence[str] | None,
    weights: str | None,
    quiet: bool,
) -> int:
    """Fit, save and print; return the exit code."""
    data, output, plot = files.data, files.output, files.plot
    _check_options(options)
    check_alone(options, files)
    _check_outputs(files)
    seed = _seed(files, options)
    table = read_table(data, columns=columns, weights=weights)
    if not quiet:
        tell_notes(table)
    _check_rows(table, options.n_components)
    try:
        result = _fit(table, options, seed, files, quiet)
    except (FitError, ArithmeticError) as error:
        typer.echo(f"error: {data}: the fit failed: {error}", err=True)
        return EXIT_FAILED
    except (InputError, ModelFileError):
        raise  # it names the checkpoint
    except ValueError as error:  # what the library alone can tell of the rows, such as numbers out of range
        raise InputError(f"{data}: {error}") from None
    info = _info(result, table, weights, seed)
    if output is not None:
        _save(result, output, info)
    if plot is not None:
        _draw(result, table, plot)
    if not quiet:
        saved_as = "MODEL" if output is None else str(output)
        first = "" if output is not None else "save the model with -o MODEL, then "
        print_model(result.mixture, info, see_all=f"{first}gaussmix show {saved_as} --all")
        for what, path in (("model", output), ("picture", plot)):
            if path is not None:
                typer.echo(f"{what} saved in {printable(str(path))}")
    return _exit_code(result, files)


def _check_options(options: FitOptions) -> None:
    for option, value, known in (
        ("--covariance", options.covariance_type, KNOWN),
        ("--init", options.init_params, NAMES),
        ("--prior", options.prior, PRIORS),
        ("--acceleration", options.acceleration, ["auto", *METHODS, "none"]),
        ("--stopping", options.stopping, get_args(Stopping)),
        ("--strategy", options.strategy, STRATEGIES),
    ):
        if value is not None and value not in known:
            raise InputError(f"{option} must be one of {', '.join(known)}; got {value!r}")
    if not math.isfinite(options.tol):
        raise InputError(f"--tol must be a finite number; got {options.tol}")
    _reg_covar(options)
    _constraints(options)
    _noise(options)
    _n_factors(options)
    if not 0.0 <= options.trim < 1.0:
        raise InputError(f"--trim must be a share of at least 0 and under 1; got {options.trim}")


def _constraints(options: FitOptions) -> Constraints:
    """What the options say of them; InputError where the library would refuse it."""
    try:
        constraints = Constraints(
            eigenvalue_ratio=options.eigenvalue_ratio,
            min_weight=options.min_weight,
            equal_weights=options.equal_weights,
        )
        constraints.check(get_structure(options.covariance_type), options.n_components)
    except ValueError as error:
        text = str(error)
        for name in ("eigenvalue_ratio", "equal_weights", "min_weight"):
            text = text.replace(name, f"--{name.replace('_', '-')}")
        raise InputError(text) from None
    return constraints


def _n_factors(options: FitOptions) -> NFactors:
    if options.n_factors == "auto":
        return "auto"
    if not options.n_factors.isdecimal() or int(options.n_factors) < 1:
        raise InputError(f"--factors must be auto or a whole number of at least 1; got {options.n_factors!r}")
    return int(options.n_factors)


def _reg_covar(options: FitOptions) -> RegCovar:
    if options.reg_covar == "auto":
        return "auto"
    try:
        amount = float(options.reg_covar)
    except ValueError:
        amount = math.nan
    if not 0.0 <= amount < math.inf:
        raise InputError(
            f"--reg-covar must be auto or a finite number of at least 0; got {options.reg_covar!r}"
        )
    return amount


def _noise(options: FitOptions) -> bool | float:
    if options.noise is None or options.noise == "auto":
        return options.noise is not None
    try:
        share = float(options.noise)
    except ValueError:
        share = math.nan
    if not 0.0 < share < 1.0:
        raise InputError(f"--noise must be auto or a share over 0 and under 1; got {options.noise!r}")
    return share


def _check_outputs(files: FitFiles) -> None:
    """Refuse, before the work, what would fail after it."""
    output, plot, checkpoint = files.output, files.plot, files.checkpoint
    for what, path in (("model", output), ("checkpoint", checkpoint)):
        if path is not None and path.suffix.lower() in TABLE_SUFFIXES:
            raise InputError(f"{path}: a {what} is not a table; name it for example {path.stem}.safetensors")
    if plot is not None:
        _check_picture(plot)
    outputs = {"model": output, "checkpoint": checkpoint, "picture": plot}
    chosen = [(what, path) for what, path in outputs.items() if path is not None]
    for (what, path), (other, same) in itertools.combinations(chosen, 2):
        if path.resolve() == same.resolve():
            raise InputError(f"{same}: the {what} and the {other} cannot be the same file")
    for _, path in chosen:
        refuse_overwriting(path, [files.data])
        check_output(path)


def _check_picture(plot: Path) -> None:
    if importlib.util.find_spec("matplotlib") is None:
        raise InputError(f"{plot}: --plot needs Matplotlib: pip install 'gaussmix[plot]'")
    if plot.suffix.lower() not in PICTURE_SUFFIXES:
        known = ", ".join(PICTURE_SUFFIXES)
        raise InputError(f"{plot}: cannot write a picture ending in {plot.suffix!r}; expected one of {known}")


def _seed(files: FitFiles, options: FitOptions) -> int | None:
    """The seed asked for, that of the checkpoint to resume from (None if it had none), or one drawn."""
    if files.resume is None:
        return secrets.randbelow(2**31) if options.seed is None else options.seed
    try:
        saved = read_seed(files.resume)
    except FileNotFoundError:
        raise InputError(f"{files.resume}: no such file") from None
    except OSError as error:
        raise InputError(f"{files.resume}: cannot be read: {error.strerror or error}") from error
    return saved if options.seed is None else options.seed


def _check_rows(table: Table, n_components: int) -> None:
    n_rows = len(table.values) if table.weights is None else int(np.count_nonzero(table.weights))
    if n_rows < n_components:
        which = "row" if table.weights is None else "row of positive weight"
        which = which if n_rows == 1 else which.replace("row", "rows", 1)
        raise InputError(
            f"{table.path}: {n_rows} {which}, fewer than the {n_components} components of -k {n_components}"
        )


def _fit(table: Table, options: FitOptions, seed: int | None, files: FitFiles, quiet: bool) -> FitResult:
    shown = not quiet and sys.stderr.isatty()
    with StopOnInterrupt(begun=files.resume is not None) as interrupt, ProgressBar(shown) as bar:

        def on_iteration(progress: Progress) -> bool:
            interrupt.begun = True
            bar.update(progress)
            return interrupt.asked

        if options.strategy == "message-length":
            return by_message_length(table, options, seed, on_iteration, reg_covar=_reg_covar(options))
        try:
            return fit_mixture(
                table.values,
                options.n_components,
                covariance_type=options.covariance_type,
                sample_weight=table.weights,
                tol=options.tol,
                reg_covar=_reg_covar(options),
                max_iter=options.max_iter,
                n_init=options.n_init,
                init_params=options.init_params,
                random_state=seed,
                feature_names=table.names,
                on_iteration=on_iteration,
                checkpoint=files.checkpoint,
                resume=files.resume,
                prior=options.prior,
                constraints=_constraints(options),
                noise=_noise(options),
                trim=options.trim,
                n_factors=_n_factors(options),
                acceleration=None
                if options.acceleration == "none"
                else cast(Acceleration, options.acceleration),
                stopping=cast(Stopping, options.stopping),
            )
        except OSError as error:
            if files.checkpoint is None:
                raise
            raise InputError(f"{files.checkpoint}: cannot be written: {error.strerror or error}") from error


def _info(result: FitResult, table: Table, weights: str | None, seed: int | None) -> dict[str, Any]:
    """What is saved with the model: plain JSON, without the likelihood where it is not a number."""
    info = {
        "source": table.path.name,
        "n_rows": len(table.values),
        "n_samples": result.n_samples,
        "weights": weights,
        "log_likelihood": result.log_likelihood,
        "bic": result.bic,
        "aic": result.aic,
        "status": str(result.status),
        "n_iter": result.n_iter,
        "advice": result.advice,
        "seed": seed,
        "n_trimmed": None if result.trimmed is None else int(np.count_nonzero(result.trimmed)),
        **told(result),
    }
    return {
        name: value
        for name, value in info.items()
        if value not in (None, "") and not (isinstance(value, float) and not math.isfinite(value))
    }


def _save(result: FitResult, output: Path, info: dict[str, Any]) -> None:
    try:
        result.mixture.save(output, info=info)
    except OSError as error:
        raise InputError(f"{output}: cannot be written: {error.strerror or error}") from error


def _draw(result: FitResult, table: Table, plot: Path) -> None:
    from gaussmix.plot import save_plot

    try:
        with replacing(plot) as temporary:
            save_plot(result.mixture, table.values, path=temporary)
    except OSError as error:
        raise InputError(f"{plot}: cannot be written: {error.strerror or error}") from error


def _exit_code(result: FitResult, files: FitFiles) -> int:
    if result.status == FitStatus.INTERRUPTED:
        nothing = "no model was saved" if files.checkpoint else "nothing was saved"
        kept = (
            f"{nothing}: there was no -o" if files.output is None else f"the best so far is in {files.output}"
        )
        more = "" if files.checkpoint is None else f"; go on with --resume {files.checkpoint}"
        typer.echo(f"interrupted after {count(result.n_iter, 'iteration')}; {kept}{more}", err=True)
        return EXIT_INTERRUPTED if files.output is None else EXIT_GOOD
    if result.status == FitStatus.DEGENERATE:
        typer.echo(f"error: the fit failed: {result.status}: {result.advice}", err=True)
        return EXIT_FAILED
    return EXIT_GOOD
