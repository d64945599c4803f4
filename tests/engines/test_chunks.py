"""Rows that come in chunks are fitted as an array is, to the bit, and are never in memory all together."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gaussmix import Mixture, Noise, fit_message_length, fit_mixture, fit_mixtures
from gaussmix.data.rows import Chunks, Rows
from gaussmix.engines import choose_engine
from gaussmix.fit.starts.table import NAMES
from gaussmix.fit.trimming import Trimmed
from gaussmix.model.covariance import get_structure

BORDERS = [1, 700, 701, 1900]


def blobs(n=2600, d=2, k=3, seed=0):
    """Clusters, a row in twenty far from all of them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) + 5.0 * rng.normal(size=(k, d))[rng.integers(k, size=n)]
    X[::20] = rng.uniform(-30.0, 30.0, (len(X[::20]), d))
    return X


def in_chunks(X, borders=BORDERS, weights=None):
    return Rows(Chunks(lambda: np.split(X, borders)), weights)


def assert_same(one, other):
    """The same numbers and the same way to them."""
    for name in ("weights", "means", "covariances", "precisions_cholesky"):
        assert_array_equal(getattr(one.mixture, name), getattr(other.mixture, name))
    assert one.history == other.history and one.log_priors == other.log_priors
    assert (one.status, one.advice, one.starts) == (other.status, other.advice, other.starts)
    assert one.n_samples == other.n_samples and one.collapsed == other.collapsed
    if one.kept is not None:
        assert_array_equal(one.kept, other.kept)


FITS = {
    "race": {},
    "race of a sample": {"n": 9000, "tol": 1e-5},
    "tied": {"covariance_type": "tied"},
    "EII": {"covariance_type": "EII"},
    "float32": {"dtype": np.float32, "covariance_type": "diag"},
    "factor": {"covariance_type": "factor", "d": 4, "n_factors": 1, "max_iter": 20},
    "noise": {"noise": True},
    "noise of a density": {"noise": Noise(0.05, -8.0), "covariance_type": "tied"},
    "trimming": {"trim": 0.05},
    "trimming of weights": {"trim": 0.07, "weighted": True, "covariance_type": "EEI"},
    "weights": {"weighted": True, "n_init": 2},
    "prior": {"prior": "mclust"},
    "ridge": {"reg_covar": 1e-3, "stopping": "aitken"},
    "far rows": {"far": True},
    "labels": {"labels": True},
    **{name: {"init_params": name, "max_iter": 5} for name in NAMES if name not in ("auto", "thorough")},
}


@pytest.mark.parametrize("name", FITS)
def test_fits_of_chunks_are_those_of_the_array(name):
    options = {"random_state": 0} | FITS[name]
    X = blobs(options.pop("n", 2600), options.pop("d", 2)).astype(options.pop("dtype", np.float64))
    if options.pop("far", False):
        X[::100] = 1e9
    weights = np.random.default_rng(1).uniform(0.5, 2.0, len(X)) if options.pop("weighted", False) else None
    if options.pop("labels", False):
        options["start"] = np.arange(len(X)) % 3
    whole = fit_mixture(X, 3, sample_weight=weights, **options)
    assert_same(fit_mixture(in_chunks(X, weights=weights), 3, **options), whole)


def test_many_models_and_the_shortest_message():
    X = blobs()
    options = {"covariance_type": ["full", "EEE"], "random_state": 0, "init_params": "kmeans", "max_iter": 9}
    whole, parts = fit_mixtures(X, (1, 3), **options), fit_mixtures(in_chunks(X), (1, 3), **options)
    assert list(whole.fits) == list(parts.fits)
    for key, result in whole.fits.items():
        assert_same(result, parts.fits[key])
    whole, parts = (fit_message_length(rows, 8, random_state=0, max_iter=30) for rows in (X, in_chunks(X)))
    assert_same(whole, parts)
    assert whole.path == parts.path


@pytest.mark.parametrize("options", [{}, {"trim": 0.05}, {"noise": True}], ids=str)
def test_a_fit_is_resumed_wherever_its_rows_lie(options, tmp_path):
    """A checkpoint is of the numbers, not of where they are."""
    X, path = blobs(), tmp_path / "checkpoint"
    options = {"random_state": 0, "tol": 1e-7, "max_iter": 60, "init_params": "k-means++", **options}
    whole = fit_mixture(X, 3, **options)
    stopped = fit_mixture(
        in_chunks(X), 3, checkpoint=path, on_progress=lambda progress: progress.iteration >= 1, **options
    )
    assert len(stopped.history) < len(whole.history)
    for rows in (X, in_chunks(X), in_chunks(X, [99])):
        assert_same(fit_mixture(rows, 3, resume=path, **options), whole)


class Counted:
    """Chunks that know how many of their rows are in use at most."""

    def __init__(self, n_chunks, rows_of):
        self.n_chunks, self.rows_of, self.readings, self.most = n_chunks, rows_of, 0, 0
        self.alive = {}

    def __call__(self):
        import weakref

        self.readings += 1
        for i in range(self.n_chunks):
            chunk = self.rows_of(i)
            self.alive[id(chunk)] = len(chunk)
            weakref.finalize(chunk, self.alive.pop, id(chunk), None)
            self.most = max(self.most, sum(self.alive.values()))
            yield chunk


def test_the_rows_are_never_in_memory_all_together():
    def rows_of(i):
        rng = np.random.default_rng(i)
        return rng.normal(size=(5000, 2)) + 6.0 * rng.integers(2, size=(5000, 1))

    counted = Counted(40, rows_of)
    rows = Rows(Chunks(counted))
    result = fit_mixture(rows, 2, random_state=0)
    assert result.converged and rows.shape == (200_000, 2)
    assert counted.most <= 30_000  # a chunk of the kernel, and those that it lies across
    assert "array" not in rows.__dict__
    # in order: no pass reads the rows twice
    assert counted.readings < 60 + 3 * len(result.history)


def test_chunks_have_one_type_and_one_number_of_columns():
    for chunks, said in (
        ([], "at least one row; there is no chunk at all"),
        ([np.zeros((2, 3)), np.zeros((2, 2))], r"arrays of 3 columns of float64.*got the shape \(2, 2\)"),
        ([np.zeros((2, 3)), np.zeros((2, 3), np.float32)], "of float32"),
    ):
        with pytest.raises(ValueError, match=said):
            Chunks(lambda chunks=chunks: chunks)


@pytest.mark.parametrize("trim", [0.0, 0.1])
def test_terms_of_rows_reach_a_pass_wherever_the_rows_lie(trim):
    """Labels that are known leave nothing to responsibilities: the moments are those of the labels."""
    X, structure = blobs(), get_structure("full", 2)
    labels = np.arange(len(X)) % 3
    hard = labels == np.arange(3)[:, None]
    found = []
    for rows in (Rows(X), in_chunks(X)):
        engine = choose_engine(rows)(rows, structure)
        start = Mixture(np.full(3, 1 / 3), X[:3], np.repeat(np.cov(X.T)[None], 3, axis=0))
        mixture = start.seen_from(engine.frame)
        used = Trimmed(engine, trim) if trim else engine
        seen = used.accumulate(mixture, terms=lambda part: np.log(hard[:, part] + 1e-300)).moments
        given = engine.accumulate_given(lambda part: hard[:, part].astype(float), 3)
        if not trim:
            np.testing.assert_allclose(seen.counts, given.counts, rtol=1e-9)
            np.testing.assert_allclose(seen.means(), given.means(), rtol=1e-7, atol=1e-9)
        assert seen.weight == pytest.approx(used.weight)
        found.append(seen)
    assert_array_equal(found[0].counts, found[1].counts)
    assert_array_equal(found[0].second, found[1].second)
