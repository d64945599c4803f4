"""The start "annealing": means find their places while the posterior is sharpened step by step.

Responsibilities are in proportion to (w_k N_k)^beta, and beta grows to one (Ueda and Nakano 1998). At a small
beta all components lie in one place; then they part, first along the direction of most spread, where the rows
as a whole have them part and not where a start happened to put them.

Weights are equal, and the covariances of N_k stay those of all rows times s = 1 / k^2, so that k components
side by side would reach as far as the rows do. Ueda and Nakano update both; that is not done, for a reason.
Where all components lie in one place, an update multiplies a small shift of a mean by beta C S^-1, with C the
covariance of the rows and S = s C that of the components: they part at beta = s, as the clusters of Rose,
Gurewitz and Fox (1990) do at a temperature. But S that is updated is C there. Components then stay together
until beta is 1, when there is nothing left to temper, and the start is no better than random responsibilities
(docs/strategies.md).

References
----------
N. Ueda and R. Nakano, Deterministic annealing EM algorithm, Neural Networks 11 (1998) 271-282.
K. Rose, E. Gurewitz and G. C. Fox, Statistical mechanics and phase transitions in clustering, Phys. Rev.
Lett. 65 (1990) 945-948.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array
from gaussmix.engines import Engine
from gaussmix.fit.memberships import accumulate_equal, accumulate_labels
from gaussmix.fit.mstep.regularise import make_regularise
from gaussmix.model.mixture import Mixture
from gaussmix.model.moments.statistics import Moments

#: The most that beta is multiplied by at a time.
GROWTH = 1.5
#: Passes at each beta.
PASSES = 4
#: Spreads of a component by which its mean is moved at random before the passes, so that equal means part.
NUDGE = 0.2
#: Rows beyond which a sample of them is annealed.
MOST_ROWS = 5000


def annealing(engine: Engine, k: int, rng: RandomState, turn: int) -> tuple[Moments, None]:
    """Rows belong to means that deterministic annealing has found, in the proportions that it ends with."""
    mixture = anneal(engine, k, rng)
    if engine.structure.form.n_axes:
        # moments along axes, of which this mixture has none
        labels = engine.evaluate(mixture, "labels").astype(np.int64)
        return accumulate_labels(engine, labels, k), None
    return engine.accumulate(mixture).moments, None


def anneal(engine: Engine, k: int, rng: RandomState) -> Mixture:
    """The mixture of k components that annealing ends with, in the coordinates of the engine's frame."""
    share = float(k) ** -2.0
    part = engine.sample(MOST_ROWS, rng)
    mixture = make_equal_mixture(part, k, share)
    spread = np.sqrt(mixture.variances)
    for beta in make_schedule(share):
        mixture = mixture.replace(means=mixture.means + NUDGE * spread * rng.standard_normal(spread.shape))
        for _ in range(PASSES):
            mixture = mixture.replace(means=part.accumulate(mixture, beta=beta).moments.means())
    return mixture


def make_schedule(share: float) -> Float64Array:
    """From the beta at which components part to one, by equal factors."""
    return np.geomspace(share, 1.0, 1 + math.ceil(math.log(1.0 / share, GROWTH)))


def make_equal_mixture(engine: Engine, k: int, share: float) -> Mixture:
    """Equal components in one place, with the covariances of all rows times a number.

    Those of factor analysers have no factors: these would follow the clusters, and not what is within them.
    """
    structure, algebra = engine.structure, engine.structure.algebra
    equal = np.full(k, 1.0 / k)
    moments = accumulate_equal(engine, k)
    if structure.form.n_axes:
        one = algebra.from_variances(algebra.map_variances(engine.frame.variances, engine.frame))
        covariances = np.broadcast_to(one, (k, *one.shape[1:]))
        roots = structure.find_roots(covariances)
    else:
        regularise = make_regularise("auto", structure, engine)
        covariances, roots = regularise(structure.moments(moments), equal, None)
    root = np.asarray(math.sqrt(share))
    covariances, roots = algebra.map_covariances(covariances, root), algebra.map_roots(roots, 1.0 / root)
    return Mixture.of_parts(structure, equal, moments.means(), covariances, roots)
