"""How a fit ends: the best mixture in the data's coordinates, in a stable order, and what to say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gaussmix.errors import FitError
from gaussmix.fit.advice import write_advice
from gaussmix.fit.given import Given
from gaussmix.fit.iterate.em import Run
from gaussmix.fit.judge import Judge, find_coinciding
from gaussmix.fit.result import FitResult, FitStatus
from gaussmix.model.covariance.checking import check_family
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.order import find_stable_order, take_components
from gaussmix.model.moments.frame import Frame
from gaussmix.model.noise import Noise

#: The least variance, relative to those of the features, of which double precision still tells the root.
THINNEST = 1e-13
#: Relative difference of spreads that no likelihood shows.
SAME = 1e-9

#: The caller gives nothing of the mixture.
NOTHING = Given()

COLLAPSED = (
    "Fitting the mixture model failed because some components have ill-defined empirical covariance (for "
    "instance caused by singleton or collapsed samples). Try to decrease the number of components, increase "
    "reg_covar, or scale the input data."
)


def make_result(
    best: Run,
    judge: Judge,
    feature_names: Sequence[str] | None,
    *,
    given: Given = NOTHING,
    ordered: bool = False,
    n_reseeds: int = 0,
    doubts: bool = True,
) -> FitResult:
    """What there is to report of the best run, given in the coordinates of the judge's frame.

    What the caller has fixed (`given`) has its own bits in the result. With `ordered`, components come in an
    order that no rounding decides. `n_reseeds` is how often collapsed components were seeded anew. `doubts`
    asks which components are far from all rows but a few, and which coincide.
    """
    engine, m_step = judge.engine, judge.m_step
    mixture, same = publish(best.mixture, engine.frame, feature_names, given.noise)
    if ordered:
        order = find_stable_order(mixture)
        places = np.argsort(order)
        mixture = take_components(mixture, order)
        collapsed = tuple(sorted(int(places[component]) for component in best.collapsed))
        best = replace(best, mixture=take_components(best.mixture, order), collapsed=collapsed)
    mixture = m_step.terms.restore_given(mixture, given)
    history, log_priors = best.append_to(best.past)
    if not same:  # a likelihood belongs to the parameters that it is reported with
        seen = mixture.seen_from(engine.frame)
        value = engine.accumulate(seen).log_likelihood / engine.weight + engine.frame.log_det
        history = (*history[:-1], value)
        if m_step.log_prior is not None:
            log_priors = (*log_priors[:-1], m_step.log_prior(seen) / engine.weight)
    rows = mixture.weights * engine.n_rows
    caveats = m_step.regularise.find_caveats(best.mixture)
    apart = judge.find_apart(best.mixture, caveats.held) if doubts else ()
    coinciding = find_coinciding(best.mixture) if doubts and best.status == FitStatus.CONVERGED else ()
    return FitResult(
        mixture=mixture,
        status=best.status,
        advice=write_advice(
            best.status,
            best.collapsed,
            **caveats._asdict(),
            n_reseeds=n_reseeds,
            apart={component: (float(rows[component]), mixture.means[component]) for component in apart},
            coinciding=coinciding,
        ),
        history=history,
        n_samples=engine.weight,
        collapsed=best.collapsed,
        held=caveats.held,
        n_reseeds=n_reseeds,
        log_priors=log_priors,
        n_fixed_parameters=m_step.terms.constraints.n_fixed_parameters(
            mixture.structure, *mixture.means.shape
        ),
    )


def publish(
    mixture: Mixture, frame: Frame, feature_names: Sequence[str] | None, noise: Noise | None = None
) -> tuple[Mixture, bool]:
    """A mixture of the frame's coordinates in the data's own, and whether it is the same to rounding.

    Of the noise, which is given in the data's coordinates, it has the weight.
    Where a covariance is too thin for double precision in those coordinates (nearly collinear features, and
    no floor), its thinnest directions are widened.
    """
    structure = mixture.structure
    mapped = mixture.mapped(frame.inverse, frame.matrix, frame.origin)
    names = None if feature_names is None else tuple(feature_names)
    data = Frame(frame.origin, np.asarray(1.0), np.asarray(1.0))
    least = structure.algebra.map_variances(THINNEST * frame.variances, data)
    covariances, exact = mapped.covariance_stack, mapped.roots
    if not structure.coupled and (structure.algebra.stiffness(exact, least) > 0.5).any():
        covariances = structure.algebra.raise_to_floor(covariances, least)
    try:
        roots = structure.find_roots(covariances)
        check_family(structure, covariances, mixture.n_components)
    except ValueError:  # a family that shares a part, on nearly collinear features
        raise FitError(COLLAPSED) from None
    # numbers of the frame may be finer than those of a covariance in the data's coordinates can be
    same = np.abs(np.log(structure.algebra.diagonal(roots) / structure.algebra.diagonal(exact))).max() < SAME
    if noise is not None and mixture.noise is not None:
        noise = replace(noise, weight=mixture.noise.weight)
    reported = mapped.replace(covariance_stack=covariances, roots=roots, feature_names=names, noise=noise)
    return reported, bool(same)
