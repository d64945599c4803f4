"""`gaussmix fit --strategy`: fits that find out how many components there should be."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gaussmix.data.tables import Table
from gaussmix.errors import InputError
from gaussmix.fit.mstep.regularise import RegCovar
from gaussmix.fit.multistart import Progress
from gaussmix.fit.starts import AUTO
from gaussmix.select.message_length import MessageLengthResult, fit_message_length

if TYPE_CHECKING:
    from gaussmix.cli.fitting import FitFiles, FitOptions

STRATEGIES = ("em", "message-length")


def check_alone(options: FitOptions, files: FitFiles) -> None:
    """Raise InputError where an option is given that the strategy knows nothing of."""
    if options.strategy == "em":
        return
    given = {
        "--factors auto": options.n_factors == "auto",
        "--init": options.init_params != AUTO,
        "--prior": options.prior is not None,
        "--eigenvalue-ratio": options.eigenvalue_ratio is not None,
        "--equal-weights": options.equal_weights,
        "--min-weight": options.min_weight != 0.0,
        "--noise": options.noise is not None,
        "--trim": options.trim != 0.0,
        "--acceleration": options.acceleration != "auto",
        "--stopping": options.stopping != "change",
        "--resume": files.resume is not None,
        "--checkpoint": files.checkpoint is not None and files.resume is None,
    }
    refused = [name for name, is_given in given.items() if is_given]
    if refused:
        raise InputError(f"--strategy {options.strategy} does not go with {', '.join(refused)}")


def by_message_length(
    table: Table,
    options: FitOptions,
    seed: int | None,
    on_iteration: Callable[[Progress], bool],
    *,
    reg_covar: RegCovar,
) -> MessageLengthResult:
    """The fit of a table that begins with the number of components asked for."""
    return fit_message_length(
        table.values,
        options.n_components,
        covariance_type=options.covariance_type,
        sample_weight=table.weights,
        tol=options.tol,
        reg_covar=reg_covar,
        max_iter=options.max_iter,
        n_init=options.n_init,
        random_state=seed,
        feature_names=table.names,
        on_iteration=on_iteration,
        n_factors=int(options.n_factors),
    )


def told(result: Any) -> dict[str, Any]:
    """What is saved with a model that a strategy found, beside the facts of every fit."""
    return {"message_length": result.message_length} if isinstance(result, MessageLengthResult) else {}
