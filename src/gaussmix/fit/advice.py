"""Advice: what to know and to do about the outcome of a fit, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

from gaussmix._typing import Float64Array
from gaussmix.fit.component_names import begin_with
from gaussmix.fit.result import FitStatus

#: What to do about each status that is not a success.
ADVICE = {
    FitStatus.CONVERGED: "",
    FitStatus.MAX_ITER: (
        "Best performing initialization did not converge. Try different init parameters, or increase "
        "max_iter, tol, or check for degenerate data."
    ),
    FitStatus.INTERRUPTED: "The fit was stopped from outside; the mixture is the best so far.",
    FitStatus.DEGENERATE: (
        "{who} collapsed on too few distinct rows, and iteration stopped before that. Use fewer components, "
        "a larger reg_covar, or a simpler covariance_type."
    ),
    FitStatus.NOT_RUN: "",
}


COLLAPSED = (
    "{who} collapsed on next to no rows, and {what} held at the least variance allowed{tried}. Use fewer "
    "components, a simpler covariance_type, or more starts (n_init)."
)
HELD = (
    "{who} no spread in some direction (repeated or collinear rows): {what} held there at the least variance "
    "allowed, so the likelihood depends on that bound."
)
APART = "{who} {rows} far from all others, {where}."
MORE_APART = "The same holds of {more} more."
COINCIDE = (
    "{who} coincide: the mixture has fewer different components than were asked for, and EM cannot tell them "
    "apart. Use fewer components, or another start."
)
HOLDS_ALL = (
    "The rows have no spread in some direction (constant or collinear features): variances are held there at "
    "the least allowed, so the likelihood depends on that bound."
)


#: Components apart that have a sentence each.
MOST_APART = 3
#: Numbers of a mean that a sentence shows.
SHOWN = 5


def write_advice(
    status: FitStatus,
    collapsed: tuple[int, ...],
    held: tuple[int, ...],
    *,
    bounded: bool,
    holds_all: bool,
    n_reseeds: int,
    apart: Mapping[int, tuple[float, Float64Array]],
    coinciding: tuple[tuple[int, int], ...],
) -> str:
    """What to know and to do about the outcome of a fit; empty when all is well.

    `bounded` is whether variances have a least value, so that iteration goes on beside a collapse. `apart`
    has rows and means of components of single rows or a few, `coinciding` pairs that are the same.
    """
    spikes = collapsed if bounded else ()
    parts = [] if spikes else [ADVICE[status].format(who=begin_with(collapsed))]
    others = tuple(k for k in held if k not in collapsed and k not in apart)
    if spikes:
        tried = f" ({n_reseeds} new seedings did not help)" if n_reseeds else ""
        what = "is" if len(collapsed) == 1 else "are"
        parts.append(COLLAPSED.format(who=begin_with(collapsed), what=what, tried=tried))
    if coinciding:
        together = tuple(sorted({component for pair in coinciding for component in pair}))
        parts.append(COINCIDE.format(who=begin_with(together)))
    for component, (rows, mean) in [*apart.items()][:MOST_APART]:
        what = "is a single row" if round(rows) == 1 else f"has {rows:.3g} rows"
        parts.append(APART.format(who=begin_with((component,)), rows=what, where=_write_place(mean)))
    if len(apart) > MOST_APART:
        parts.append(MORE_APART.format(more=len(apart) - MOST_APART))
    if holds_all:
        parts.append(HOLDS_ALL)
    if others:
        one = len(others) == 1
        who = f"{begin_with(others)} {'has' if one else 'have'}"
        parts.append(HELD.format(who=who, what="it is" if one else "they are"))
    return " ".join(part for part in parts if part)


def _write_place(mean: Float64Array) -> str:
    """A mean in a sentence: its first few numbers."""
    numbers = ", ".join(f"{value:.6g}" for value in mean[:SHOWN])
    return f"at ({numbers}{', ...' if len(mean) > SHOWN else ''})"
