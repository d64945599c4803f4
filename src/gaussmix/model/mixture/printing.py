"""A mixture in text: its heading, and a table of weights, means and standard deviations."""

from __future__ import annotations

import math

import numpy as np

from gaussmix._text import count_noun, make_html_notes, make_html_table, make_text_table, shorten
from gaussmix._typing import Float64Array
from gaussmix.model.mixture.properties import MixtureProperties

MOST_COMPONENTS = 24  # components shown unless all are asked for
MOST_FEATURES = 8  # features, likewise
MOST_NAME = 24  # characters of a feature's name


def heading(mixture: MixtureProperties) -> str:
    """Sizes and family, in one line."""
    return (
        f"Gaussian mixture: {count_noun(mixture.n_components, 'component')}, "
        f"{count_noun(mixture.n_features, 'feature')}, covariance {mixture.structure.name}"
        + (f" of {count_noun(mixture.n_factors, 'factor')}" if mixture.n_factors else "")
    )


def format_text(mixture: MixtureProperties, most_components: int, most_features: int) -> str:
    """Heading, table and notes as plain text."""
    table = make_text_table(component_rows(mixture, most_components, most_features))
    return "\n".join([heading(mixture), "", table, *notes(mixture, most_components, most_features)])


def format_html(mixture: MixtureProperties) -> str:
    """Heading, table and notes as HTML."""
    limits = MOST_COMPONENTS, MOST_FEATURES
    return make_html_table(component_rows(mixture, *limits), heading(mixture)) + make_html_notes(
        notes(mixture, *limits)
    )


def component_rows(mixture: MixtureProperties, most_components: int, most_features: int) -> list[list[str]]:
    """A header, and for each component its number, weight, means and standard deviations."""
    k, d = min(mixture.n_components, most_components), min(mixture.n_features, most_features)
    names = mixture.feature_names or default_names(mixture.n_features)
    deviations = np.sqrt(mixture.variances)
    columns = [means_and_deviations(mixture.means[:k, j], deviations[:k, j], "±") for j in range(d)]
    header = ["component", "weight", *(shorten(name, MOST_NAME) for name in names[:d])]
    return [
        header,
        *([str(i), f"{mixture.weights[i]:.4f}", *(column[i] for column in columns)] for i in range(k)),
    ]


def notes(mixture: MixtureProperties, most_components: int, most_features: int) -> list[str]:
    """What belongs below the table."""
    lines = ["Each cell: mean ± standard deviation."]
    if mixture.noise is not None:
        weight, log_density = mixture.noise.weight, mixture.noise.known_log_density
        lines.append(f"Noise: weight {weight:.4f}, log-density {log_density:.6g} everywhere.")
    numbers = (
        (mixture.n_features - most_features, "feature"),
        (mixture.n_components - most_components, "component"),
    )
    hidden = " and ".join(count_noun(number, noun) for number, noun in numbers if number > 0)
    return [*lines, f"Not shown: {hidden}."] if hidden else lines


def default_names(n_features: int) -> tuple[str, ...]:
    """Return x0, x1, ...: the names of columns that have none.

    Examples
    --------
    >>> default_names(2)
    ('x0', 'x1')
    """
    return tuple(f"x{i}" for i in range(n_features))


def means_and_deviations(means: Float64Array, deviations: Float64Array, plus_minus: str) -> list[str]:
    """Write one feature's column, all with the decimals that its smallest deviation needs."""
    positive = deviations[(deviations > 0) & np.isfinite(deviations)]
    smallest = float(positive.min()) if positive.size else 1.0
    decimals = max(0, 2 - math.floor(math.log10(smallest)))
    largest = max(float(np.abs(means).max()), float(deviations.max()))
    if decimals > 6 or largest >= 1e10:
        means_as, deviations_as = [f"{m:.6g}" for m in means], [f"{s:.3g}" for s in deviations]
    else:
        means_as, deviations_as = (
            [f"{m:z.{decimals}f}" for m in means],
            [f"{s:.{decimals}f}" for s in deviations],
        )
    width = max(map(len, deviations_as))
    return [f"{m} {plus_minus} {s.rjust(width)}" for m, s in zip(means_as, deviations_as, strict=True)]
