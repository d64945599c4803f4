"""Acceleration of EM: where to go instead of where the last pass says, from how the passes before went.

EM is a fixed-point iteration of the statistics: s -> M-step -> pass -> image of s. In the coordinates of
:class:`~gaussmix.model.moments.coordinates.Coordinates`, EM steps by f = image - s. That is the gradient of
the likelihood in units of the complete data's information. Each method finds a better step from pairs of
steps made and changes of f seen, of which it needs the inner products alone. It knows no data, no engine
and no family of covariances: the M-step makes a member of the family of whatever is proposed.

A proposal under which the likelihood falls is refused, and a shorter one made from where it came, with what
was seen there; when that is refused too, EM's own step.

References
----------
M. Jamshidian and R. I. Jennrich, Acceleration of the EM algorithm by using quasi-Newton methods, J. R. Stat.
Soc. B 59 (1997) 569-587.
J. Barzilai and J. M. Borwein, Two-point step size gradient methods, IMA J. Numer. Anal. 8 (1988) 141-148.
R. Varadhan and C. Roland, Simple and globally convergent methods for accelerating the convergence of any EM
algorithm, Scand. J. Stat. 35 (2008) 335-353 (SQUAREM, scheme S3).
N. C. Henderson and R. Varadhan, Damped Anderson acceleration with restarts and monotonicity control for
accelerating EM and EM-like algorithms, J. Comput. Graph. Stat. 28 (2019) 834-846.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.moments.coordinates import Coordinates, NoCoordinatesError
from gaussmix.model.moments.statistics import Moments

#: How much longer than EM's own step a first proposal may be.
REACH = 4.0
#: The reach is multiplied by this after a good proposal that used it up.
WIDER = 2.0
#: After a refusal the reach is this part of the length of the proposal.
NARROWER = 0.5
#: The most that a proposal may change the logarithm of a share or a spread: further, components collapse.
LEAP = 0.5
#: Cosine between a step and the fall of f along it under which the pair says nothing of a curvature.
CURVED = 1e-3
#: Relative ridge of Anderson's least squares.
RIDGE = 1e-10
#: The most of EM's own steps that are safe where nothing is known: no more than the complete data's is the
#: curvature of the likelihood, and a step along the gradient does not go down until twice its inverse.
SAFE = 2.0
#: Proposals refused in a row after which EM steps.
REFUSALS = 2
#: An optimum is near enough for a local method when an iteration gains less, in nats for each unit of
#: weight. From 1e-2 on, twice as many fits end at a lower optimum than EM's.
NEAR = 1e-3
#: EM is slow when an iteration gains more than this of what the one before gained. Where it is not, the steps
#: that are left are few, and soon mostly rounding.
SLOW = 0.5
#: How many times as much an iteration may gain for its step to be remembered.
WATCHED = 10.0
#: How many times as much as one of EM's steps may be left to gain where the likelihood is not concave.
PLATEAU = 1e3
#: More nats than are ever left to gain.
HUGE = 1e300

#: From the Gram matrix of n steps, n changes of f and f itself to the coefficients of the step to make.
Combine = Callable[[Float64Array], Float64Array]


@dataclass(frozen=True, eq=False)
class Memory:
    """What an accelerated run carries from one pass to the next."""

    #: Shape (p,): the coordinates of the statistics that the current mixture was made of.
    point: Float64Array
    #: Shape (2, p), or (0, p): the point before and its f.
    last: Float64Array
    #: Shape (2, n, p): steps between points, and the changes of f along them; the latest last.
    pairs: Float64Array
    #: How many times as long as f a proposal may be; 0 while EM goes alone.
    reach: float = REACH
    #: How many times as long as f the current point's step was; 0 for EM's own.
    length: float = 0.0
    #: How many proposals were refused since the likelihood rose.
    refusals: int = 0
    #: The last estimate of the nats left to gain.
    left: float = HUGE

    @property
    def was_refused(self) -> bool:
        """Whether the last proposal was refused; `last` is then the current point."""
        return self.refusals > 0 and self.length == 0.0

    @property
    def bold(self) -> bool:
        """Whether the last pass was not of EM's own step, so that its gain says nothing of EM's."""
        return self.was_refused or self.length > 0.0

    @classmethod
    def beginning(cls, point: Float64Array) -> Memory:
        """Nothing but a point."""
        return cls(point, np.empty((0, point.size)), np.empty((2, 0, point.size)))

    def to_arrays(self) -> tuple[Float64Array, Float64Array]:
        """All of it in two arrays that are never empty, of finite numbers: vectors (m, p), and five more."""
        counts = [float(len(self.last)), float(self.refusals)]
        numbers = [self.reach, self.length, *counts, min(self.left, HUGE)]
        return np.vstack([self.point, self.last, *self.pairs]), np.array(numbers)

    @classmethod
    def of_arrays(cls, vectors: Float64Array, numbers: Float64Array) -> Memory:
        """From what :meth:`to_arrays` gave; ValueError if it cannot have."""
        m, p = vectors.shape if vectors.ndim == 2 else (0, 0)
        if m % 2 == 0 or numbers.shape != (5,) or not (numbers >= 0.0).all():
            raise ValueError(f"a memory of the shapes {vectors.shape} and {numbers.shape}")
        if not np.isfinite(vectors).all():
            raise ValueError("a memory of numbers that are not finite")
        reach, length, n_last, refusals, left = numbers.tolist()
        if n_last not in (0.0, 2.0) or m < 1 + n_last:
            raise ValueError(f"a memory of {m} vectors, {n_last} of them the last")
        if refusals not in range(REFUSALS + 1):
            raise ValueError(f"a memory of {refusals} refusals")
        last, pairs = vectors[1 : 1 + int(n_last)], vectors[1 + int(n_last) :]
        return cls(vectors[0], last, pairs.reshape(2, -1, p), reach, length, int(refusals), left)

    def extend_pairs(self, f: Float64Array) -> Float64Array:
        """The pairs, with what f at the point says beside f at the last one."""
        if not len(self.last):
            return self.pairs
        pair = np.stack([self.point - self.last[0], f - self.last[1]])
        return np.concatenate([self.pairs, pair[:, None]], axis=1)

    def refuse(self, moments: Moments) -> Memory:
        """The memory back at the last point, once a pass at a proposal gave `moments` and too little.

        That pass was not for nothing: it tells how f changes on the way there.
        """
        pairs = self.pairs
        with suppress(NoCoordinatesError):
            image = Coordinates(moments.form, *moments.first.shape).vector(moments)
            pairs = self.extend_pairs(image - self.point)
        reach = max(1.0, NARROWER * self.length)
        return replace(self, pairs=pairs, reach=reach, length=0.0, refusals=self.refusals + 1)


@dataclass(frozen=True)
class Method:
    """A way to combine what is remembered."""

    combine: Combine
    #: How many pairs to remember.
    n_pairs: int
    #: Whether a proposal begins anew.
    forgets: bool = False


def quasi_newton(gram: Float64Array) -> Float64Array:
    """Limited-memory BFGS that begins with one to two of EM's own steps, as the latest pair says.

    Pairs without curvature are left out.
    """
    n = len(gram) // 2
    c = np.zeros(2 * n + 1)
    c[-1] = 1.0
    squares, falls = np.diagonal(gram), -np.diagonal(gram, n)[:n]
    curved = np.flatnonzero(falls > CURVED * np.sqrt(squares[:n] * squares[n : 2 * n]))
    alpha = np.zeros(n)
    for i in curved[::-1]:
        alpha[i] = gram[i] @ c / falls[i]
        c[n + i] += alpha[i]
    for i in curved[-1:]:
        c *= min(max(falls[i] / squares[n + i], 1.0), SAFE)
    for i in curved:
        c[i] += alpha[i] + gram[n + i] @ c / falls[i]
    return c


def anderson(gram: Float64Array) -> Float64Array:
    """The combination of what is remembered for which, were f linear, it would be the least."""
    n = len(gram) // 2
    scale = 1.0 / np.sqrt(np.diagonal(gram)[n : 2 * n])
    normal = gram[n : 2 * n, n : 2 * n] * scale[:, None] * scale + RIDGE * np.eye(n)
    gamma = scale * np.linalg.solve(normal, scale * gram[n : 2 * n, -1])
    return np.concatenate([-gamma, -gamma, [1.0]])


def squarem(gram: Float64Array) -> Float64Array:
    """For two of EM's own steps, r and r + v: 2 a r + a^2 v from where the first began, a = |r| / |v|."""
    a = max(np.sqrt(gram[0, 0] / gram[1, 1]), 1.0)
    return np.array([2.0 * a - 1.0, a * a, 0.0])


#: The values that users may pass.
Acceleration = Literal["auto", "quasi-newton", "anderson", "squarem"] | None

METHODS: dict[str, Method] = {
    "quasi-newton": Method(quasi_newton, 10),
    "anderson": Method(anderson, 5),
    "squarem": Method(squarem, 1, forgets=True),
}
#: The method of "auto" (docs/acceleration.md has the figures).
BEST = "quasi-newton"


def estimate_gain(gram: Float64Array, c: Float64Array) -> float:
    """How many nats a step should gain: half its product with f, where the likelihood is concave."""
    n = len(gram) // 2
    left = 0.5 * float(gram[-1] @ c)
    concave = (np.diagonal(gram, n)[:n] < 0.0).all()
    return left if concave else max(left, PLATEAU * float(gram[-1, -1]))


@dataclass(frozen=True)
class Proposal:
    """To go to the M-step of `moments` (None: EM's own); what to carry; how many nats are left to gain.

    `after_bold` is whether the last pass was not of EM's own step, so that its gain says nothing of EM's.
    """

    memory: Memory | None
    moments: Moments | None = None
    left: float = HUGE
    after_bold: bool = False

    def refuse(self, moments: Moments) -> Memory | None:
        """The memory once a pass at the proposal gave `moments` and too low a likelihood."""
        return None if self.memory is None else self.memory.refuse(moments)


OWN_STEP = Proposal(None)


@dataclass(frozen=True)
class Accelerator:
    """A method, when to use it, and what keeps it safe."""

    method: Method
    #: Whether to leave EM alone until it is slow and near an optimum.
    when_slow: bool = False

    def is_idle(self, tol: float) -> bool:
        """Whether EM that ends when an iteration gains less than `tol` will have ended before it begins."""
        return self.when_slow and tol >= NEAR

    def propose(
        self, memory: Memory | None, moments: Moments, history: Sequence[float], *, own: bool
    ) -> Proposal:
        """A proposal, once it is time for the first; until then EM's own step, in the end one to remember."""
        if not self.when_slow or (memory is not None and memory.reach > 0.0):
            return self._extrapolate(memory, moments, own=own)
        gain = abs(history[-1] - history[-2]) if len(history) > 1 else HUGE
        if gain >= WATCHED * NEAR:
            return OWN_STEP
        before = abs(history[-2] - history[-3]) if len(history) > 2 else HUGE
        if SLOW * before < gain < NEAR:
            return self._extrapolate(memory and replace(memory, reach=REACH), moments, own=own)
        try:
            seen = self._remember(memory, moments)
        except NoCoordinatesError:
            return OWN_STEP
        return Proposal(replace(seen, reach=0.0))

    def _remember(self, memory: Memory | None, moments: Moments) -> Memory:
        """With what a pass at its point gave; the next point is that of EM's own step."""
        image = Coordinates(moments.form, *moments.first.shape).vector(moments)
        if memory is None:
            return Memory.beginning(image)
        if memory.was_refused:
            return replace(memory, point=image, pairs=memory.pairs[:, -self.method.n_pairs :])
        f = image - memory.point
        pairs = memory.extend_pairs(f)[:, -self.method.n_pairs :]
        reach = memory.reach * (WIDER if memory.length >= 0.9 * memory.reach else 1.0)
        return Memory(image, np.stack([memory.point, f]), pairs, reach)

    def _extrapolate(self, memory: Memory | None, moments: Moments, *, own: bool) -> Proposal:
        """Where to go from a mixture that was made of what `memory` says, and on which a pass gave `moments`.

        `own` asks for EM's own step.
        """
        before = HUGE if memory is None or memory.was_refused else memory.left
        coordinates = Coordinates(moments.form, *moments.first.shape)
        try:
            memory = self._remember(memory, moments)
            rows = np.concatenate([*memory.pairs, memory.last[1:]])
            whitened = coordinates.whiten(rows, moments) if len(rows) > 1 else rows
        except NoCoordinatesError:
            return OWN_STEP
        own = own or memory.refusals >= REFUSALS
        alone = replace(memory, refusals=0)
        if len(rows) < 2:
            return Proposal(alone)
        gram = whitened @ whitened.T
        found = self._find_step(gram)
        if found is None:
            return Proposal(alone)
        c, size = found
        left = estimate_gain(gram, c)
        if own:
            return Proposal(replace(alone, left=left), left=max(left, before))
        step = c @ rows
        length = size * min(1.0, memory.reach / size, LEAP / max(coordinates.leap(step), LEAP))
        point = memory.last[0] + (length / size) * step
        memory = replace(memory, point=point, length=length, left=left)
        if self.method.forgets:
            memory = replace(memory, last=memory.last[:0], pairs=memory.pairs[:, :0])
        return Proposal(memory, coordinates.moments(point, moments.weight), max(left, before))

    def _find_step(self, gram: Float64Array) -> tuple[Float64Array, float] | None:
        """Coefficients of a step uphill and its length beside that of f; None if none is."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            try:
                c = self.method.combine(gram)
            except np.linalg.LinAlgError:
                return None
            size, uphill = np.sqrt(c @ gram @ c / gram[-1, -1]), gram[-1] @ c
        if not (np.isfinite(size) and size > 0.0 and uphill > 0.0):
            return None
        return c, float(size)


def make_accelerator(acceleration: Acceleration, *, possible: bool = True) -> Accelerator | None:
    """The accelerator of this name; ValueError where it is asked for and not `possible`."""
    if acceleration is None or (acceleration == "auto" and not possible):
        return None
    if acceleration == "auto":
        return Accelerator(METHODS[BEST], when_slow=True)
    if not possible:
        raise ValueError(
            f"acceleration={acceleration!r} does not go together with a prior, noise, trimming or factor "
            "analysers; leave it at 'auto'"
        )
    return Accelerator(METHODS[acceleration])
