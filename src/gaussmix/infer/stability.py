"""How stable a choice of the model is: what a search chooses for resamples of the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from gaussmix._check import read_count
from gaussmix._progress import OnProgress, Progress
from gaussmix._text import count_noun
from gaussmix._typing import Float64Array
from gaussmix.errors import FitError
from gaussmix.infer.refits import run_in_blocks
from gaussmix.infer.resampling import METHODS, Method, Resample, draw_resample, make_seeds
from gaussmix.infer.subject import Subject, check_choice, read_subject
from gaussmix.select.families import Key
from gaussmix.select.search import search
from gaussmix.select.search_result import SearchResult

Chosen = TypeVar("Chosen", bound=Hashable)
#: The resamples that only this module has.
Halves: TypeAlias = Literal["halves"]

#: Parameters of an estimator that are options of its search.
OPTIONS = ("reg_covar", "n_init", "init_params", "n_factors", "prior", "constraints", "noise", "trim")
#: Options of a search that this module sets.
TAKEN = {"n_components", "covariance_type", "criterion", "sample_weight", "random_state", "on_progress"}


@dataclass(frozen=True, eq=False, repr=False)
class Stability:
    """What a search chooses for resamples of the rows; made by :func:`gaussmix.measure_stability`.

    Parameters
    ----------
    best_model : (str, int)
        Covariance type and number of components that the search chose for the rows themselves.
    chosen : tuple of (str, int)
        The same for each resample.
    rand_indices : ndarray of shape (B,)
        The adjusted Rand index between the labels of all rows by the model of each resample and by that of
        the rows: 1 where the groups are the same, about 0 where they have nothing in common.
    n_failed : int
        Resamples of which no model was sound.

    References
    ----------
    L. Hubert and P. Arabie, Comparing partitions, J. Classif. 2 (1985) 193-218.
    """

    best_model: Key
    chosen: tuple[Key, ...]
    rand_indices: Float64Array
    n_failed: int = 0

    @property
    def shares(self) -> dict[int, float]:
        """The share of resamples for which each number of components was chosen, the largest first."""
        return _find_shares(k for _, k in self.chosen)

    @property
    def family_shares(self) -> dict[str, float]:
        """The share for which each covariance type was chosen, the largest first."""
        return _find_shares(name for name, _ in self.chosen)

    @property
    def model_shares(self) -> dict[Key, float]:
        """The share for which each model was chosen, the largest first."""
        return _find_shares(self.chosen)

    @property
    def share(self) -> float:
        """The share of resamples for which as many components were chosen as for the rows."""
        return self.shares.get(self.best_model[1], 0.0)

    def __repr__(self) -> str:
        numbers = ", ".join(f"{k} in {share:.0%}" for k, share in self.shares.items())
        low, middle = np.quantile(self.rand_indices, [0.1, 0.5])
        failed = f"; {self.n_failed} failed" if self.n_failed else ""
        agreement = f"adjusted Rand index: median {middle:.2f}, lowest tenth under {low:.2f}"
        resamples = count_noun(len(self.chosen), "resample")
        return f"Stability({resamples}; components: {numbers}; {agreement}{failed})"


def measure_stability(
    X: npt.ArrayLike,
    result: Any,
    *,
    method: Method | Halves = "halves",
    n_resamples: int = 50,
    sample_weight: npt.ArrayLike | None = None,
    random_state: Any = None,
    n_jobs: int | None = None,
    on_progress: OnProgress | None = None,
    **options: Any,
) -> Stability:
    """Search resamples of the rows as the rows were searched, and see how often the choice is the same.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        The rows of the search.
    result : SearchResult, or GaussianMixture that has searched
        Its families, numbers of components and criterion are those that are searched.
    method : {"halves", "weighted", "nonparametric", "parametric"}
        "halves" are halves of the rows, drawn without replacement. The others are as for
        :func:`gaussmix.bootstrap`; rows that count more than once look like components of their own, so that
        "weighted" and "nonparametric" resamples lead to more of them. "parametric" asks how often the chosen
        model, if it were right, would be chosen.
    n_resamples : int
    sample_weight : array-like of shape (n,), optional
        Those of the search.
    random_state : int, RandomState, Generator or None
        The same resamples, whatever the number of threads.
    n_jobs : int, optional
        One thread if it is 1; by default all that gaussmix may use.
    on_progress : callable, optional
        Called with a :class:`gaussmix.Progress` after each resample. True stops.
    **options
        Other options that the search had, such as ``noise=True``. An estimator knows its own; without those
        that a search is seen to have had it is an error.

    Returns
    -------
    Stability

    Raises
    ------
    ValueError
        If an argument is wrong; FitError, which is one, if no resample led to a sound model.

    Notes
    -----
    It takes as many searches as resamples. Search fewer families or numbers of components where that is long.
    A half of the rows tells less than all of them, so that the share of the choice is a cautious one.

    References
    ----------
    T. Lange, V. Roth, M. L. Braun and J. M. Buhmann, Stability-based validation of clustering solutions,
    Neural Comput. 16 (2004) 1299-1323.

    Examples
    --------
    >>> import gaussmix
    >>> from gaussmix.datasets import load_faithful
    >>> X, _ = load_faithful()
    >>> result = gaussmix.search(X, range(1, 4), covariance_type=["EEE", "VVV"], criterion="icl")
    >>> found = gaussmix.measure_stability(X, result, n_resamples=10, random_state=0)
    >>> found.share > 0.7, float(found.rand_indices.min()) > 0.8
    (True, True)
    """
    if hasattr(result, "search_"):
        options = {name: getattr(result, name) for name in OPTIONS} | options
        result = result.search_
    if not isinstance(result, SearchResult):
        raise ValueError(f"result must be that of gaussmix.search; got {type(result).__name__}")
    check_choice(method, ("halves", *METHODS), "method")
    n_resamples = read_count(n_resamples, "n_resamples")
    if TAKEN & set(options):
        raise ValueError(f"{', '.join(sorted(TAKEN & set(options)))} are those of the result: leave them out")
    check_options(result, options)
    subject = read_subject(X, result.best.mixture, sample_weight=sample_weight)
    seeds, labels = make_seeds(random_state, n_resamples), subject.mixture.predict(subject.X)
    asked = {
        "n_components": sorted({k for _, k in result.keys}),
        "covariance_type": list(dict.fromkeys(name for name, _ in result.keys)),
        "criterion": result.criterion,
    }

    def task(block: range) -> tuple[Key, float] | str:
        return _search_resample(subject, method, seeds[block[0]], asked | options, labels)

    progress = Progress("stability", "resample")
    done = run_in_blocks(task, n_resamples, 1, n_jobs, on_progress, progress)
    sound = [each for each in done if not isinstance(each, str)]
    if not sound:
        raise FitError(f"no resample of {len(done)} led to a sound model")
    indices = np.array([index for _, index in sound])
    indices.flags.writeable = False
    return Stability(result.best_model, tuple(key for key, _ in sound), indices, len(done) - len(sound))


def check_options(result: SearchResult, options: Mapping[str, Any]) -> None:
    """ValueError where the fits of a search had an option that is not among these."""
    fit = result.best
    had = {
        "noise": fit.mixture.noise is not None,
        "trim": fit.kept is not None,
        "prior": bool(fit.log_priors),
        "constraints": bool(fit.n_fixed_parameters),
    }
    missing = [name for name, value in had.items() if value and not options.get(name)]
    if missing:
        raise ValueError(
            f"the search had {', '.join(missing)}, and resamples are searched as the rows were: pass the "
            f"same here, as {missing[0]}=..."
        )


def _search_resample(
    subject: Subject,
    method: Method | Halves,
    seed: np.random.SeedSequence,
    options: dict[str, Any],
    labels: Any,
) -> tuple[Key, float] | str:
    """The model that is chosen for a resample, and how its labels of all rows agree with others."""
    from sklearn.metrics import adjusted_rand_score

    drawn = draw_half(subject, seed) if method == "halves" else draw_resample(subject, method, seed)
    rows = subject.X if drawn.rows is None else drawn.rows
    try:
        found = search(rows, sample_weight=drawn.weights, random_state=0, **options)
        key, best = found.best_model, found.best
    except FitError as error:
        return str(error)
    return key, float(adjusted_rand_score(labels, best.mixture.predict(subject.X)))


def draw_half(subject: Subject, seed: np.random.SeedSequence) -> Resample:
    """A half of the rows, drawn without replacement: no row counts twice, as in the other resamples."""
    generator, n = np.random.Generator(np.random.PCG64(seed)), subject.rows.shape[0]
    weights = np.zeros(n)
    chosen = generator.choice(n, max((n + 1) // 2, 1), replace=False)
    weights[chosen] = subject.rows.masses[chosen]
    return Resample(None, weights)


def _find_shares(chosen: Iterable[Chosen]) -> dict[Chosen, float]:
    counts = Counter(chosen)
    total = sum(counts.values())
    return {value: count / total for value, count in counts.most_common()}
