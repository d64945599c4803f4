"""Laws of merging: hierarchies, labels, weights, noise, and the modes of densities."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.cluster.hierarchy import dendrogram, fcluster, is_valid_linkage
from scipy.optimize import minimize
from sklearn.mixture import GaussianMixture as SklearnMixture

from gaussmix import GaussianMixture, Mixture, Noise, fit_mixture, merge_components, project, search
from gaussmix.clusters.overlaps import find_elbow
from gaussmix.model.mixture.landscape import Landscape, find_passes, group_modes
from gaussmix.model.mixture.order import take_components
from tests.helpers import NAMES, random_mixture

METHODS = ("entropy", "demp", "modes")


def make_rows(n=400, seed=0):
    """A cluster of two crossing Gaussians, and one apart."""
    rng = np.random.default_rng(seed)
    long = rng.normal(size=(n, 2)) * [3.0, 0.4]
    tall = rng.normal(size=(n, 2)) * [0.4, 3.0]
    far = rng.normal(size=(n, 2), loc=[14.0, 0.0])
    return np.concatenate([long, tall, far])


def cross(noise=None):
    weights = np.full(3, 1 / 3) * (1.0 if noise is None else 1.0 - noise.weight)
    variances = [[9.0, 0.16], [0.16, 9.0], [1.0, 1.0]]
    return Mixture(weights, [[0.0, 0.0], [0.0, 0.0], [14.0, 0.0]], variances, "diag", noise=noise)


class TestHierarchy:
    @pytest.mark.parametrize("method", METHODS)
    def test_a_cross_is_one_cluster(self, method):
        merging = merge_components(cross(), make_rows(), method)
        assert merging.n_clusters == 2
        assert merging.labels().tolist() == [0, 0, 1]
        assert [len(set(merging.labels(k))) for k in (1, 2, 3)] == [1, 2, 3]
        assert f"3 components in 2 clusters ({method})" in repr(merging) and "0 + 1" in repr(merging)
        assert "<table>" in merging._repr_html_()

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("method", METHODS)
    def test_every_family(self, name, method):
        mixture = random_mixture(name, 6, 3, np.random.default_rng(2))
        X = mixture.sample(300, 1)[0]
        merging = merge_components(mixture, X, method)
        proba = mixture.responsibilities(X)
        for k in range(1, 7):
            labels = merging.labels(k)
            assert sorted(set(labels)) == list(range(k))
            assert_array_equal(
                np.unique(labels, return_index=True)[1], np.sort(np.unique(labels, return_index=True)[1])
            )
            merged = np.stack([proba[:, labels == cluster].sum(axis=1) for cluster in range(k)], axis=1)
            assert_allclose(merging.predict_proba(X, k), merged, atol=1e-12)
            assert_array_equal(merging.predict(X, k), merged.argmax(axis=1))
            coarser = merging.labels(max(k - 1, 1))  # nested: a cluster never splits
            assert all(len(set(coarser[labels == cluster])) == 1 for cluster in range(k))
        tree = merging.linkage
        assert is_valid_linkage(tree) and (np.diff(merging.heights) >= 0.0).all()
        assert tree[-1, 3] == 6 and sorted(dendrogram(tree, no_plot=True)["leaves"]) == list(range(6))
        # SciPy cuts the tree into the same clusters
        if len(set(merging.heights)) == 5:
            cut = fcluster(tree, 3, "maxclust")
            assert all(
                (cut[i] == cut[j]) == (merging.labels(3)[i] == merging.labels(3)[j])
                for i in range(6)
                for j in range(6)
            )

    @pytest.mark.parametrize("method", METHODS)
    def test_a_weight_is_copies_of_a_row(self, method):
        X = make_rows(40)
        copies = np.random.default_rng(0).integers(0, 4, size=len(X))
        one = merge_components(cross(), X, method, sample_weight=copies)
        other = merge_components(cross(), np.repeat(X, copies, axis=0), method)
        assert_array_equal(one.pairs, other.pairs)
        assert_allclose(one.entropies, other.entropies)
        assert_allclose(one.overlaps, other.overlaps)

    def test_entropies_by_definition(self):
        mixture = random_mixture("full", 4, 2, np.random.default_rng(3))
        X = mixture.sample(500, 0)[0]
        merging = merge_components(mixture, X)
        for k in range(1, 5):
            t = merging.predict_proba(X, k)
            with np.errstate(divide="ignore", invalid="ignore"):
                entropy = -np.nansum(t * np.log(t))
            assert_allclose(merging.entropies[k - 1], entropy, atol=1e-6)
        assert_allclose(merging.overlaps, np.diff(merging.entropies)[::-1], atol=1e-9)

    @pytest.mark.parametrize("method", METHODS)
    def test_noise_is_never_merged(self, method):
        noise = Noise.between([-10.0, -10.0], [24.0, 10.0], weight=0.1)
        X = np.concatenate([make_rows(), [[20.0, 9.0], [7.0, -8.0]]])
        merging = merge_components(cross(noise), X, method)
        assert merging.labels().tolist() == [0, 0, 1]
        assert_array_equal(merging.predict(X)[-2:], [-1, -1])
        proba = merging.predict_proba(X)
        assert proba.shape == (len(X), 3)
        assert_allclose(proba.sum(axis=1), 1.0)
        assert merging.entropies[0] > 0.0  # one cluster and the noise
        with np.errstate(divide="ignore", invalid="ignore"):
            assert_allclose(merging.entropies[1], -np.nansum(proba * np.log(proba)), rtol=1e-6)

    def test_the_rows_that_trimming_kept_count(self):
        X = np.concatenate([make_rows(60), [[90.0, 90.0]] * 5])
        result = fit_mixture(X, 3, trim=0.05, covariance_type="diag", start=cross())
        one = merge_components(result, X)
        other = merge_components(
            result.mixture, X[~result.trimmed], sample_weight=result.kept[~result.trimmed]
        )
        assert_allclose(one.entropies, other.entropies)

    def test_the_elbow(self):
        assert find_elbow(np.array([0.0, 1.0, 2.0, 30.0, 60.0, 90.0])) == 3
        assert find_elbow(np.array([0.0, 7.0])) == 2 and find_elbow(np.array([0.0])) == 1

    def test_one_component(self):
        mixture = Mixture([1.0], [[0.0]], [1.0], "spherical")
        for method in METHODS:
            merging = merge_components(mixture, [[0.0], [1.0]], method)
            assert merging.n_clusters == 1 and merging.linkage.shape == (0, 4)
            assert merging.labels().tolist() == [0] and "1 component in 1 cluster" in repr(merging)

    def test_components_far_apart(self):
        mixture = Mixture(np.full(4, 0.25), [[0.0], [1e3], [2e3], [3e3]], [1.0], "EII")
        merging = merge_components(mixture, mixture.sample(100, 0)[0])
        assert is_valid_linkage(merging.linkage) and (merging.heights > 0.0).all()
        demp = merge_components(mixture, mixture.sample(100, 0)[0], "demp")
        assert demp.n_clusters == 4

    def test_an_estimator_has_its_merging(self):
        X = make_rows(100)
        model = GaussianMixture(3, random_state=0).fit(X)
        merging = model.merge_components(X)
        assert model.merging_ is merging and merging.mixture is model.mixture_
        model.sort_by("weight")
        assert not hasattr(model, "merging_")  # it knows the components by other numbers
        model.merge_components(X, "demp")
        model.fit(X)
        assert not hasattr(model, "merging_")

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (((),), "must be a Mixture"),
            ((cross(),), "needs the rows"),
            ((cross(), make_rows(5), "ridge"), "method must be one of"),
            ((cross(), np.zeros((3, 5))), "one column a feature"),
            ((cross(), np.full((3, 2), np.nan)), "NaN"),
            ((GaussianMixture(), make_rows(5)), "fitted GaussianMixture"),
        ],
    )
    def test_wrong_arguments(self, arguments, said):
        with pytest.raises(ValueError, match=said):
            merge_components(*arguments)

    def test_wrong_options(self):
        X = make_rows(5)
        with pytest.raises(ValueError, match="cutoff must be a number from 0 to 1"):
            merge_components(cross(), X, "demp", cutoff=2.0)
        with pytest.raises(ValueError, match="no cutoff"):
            merge_components(cross(), X, cutoff=0.5)
        with pytest.raises(ValueError, match="there is no X"):
            merge_components(cross(), method="modes", sample_weight=[1.0])
        merging = merge_components(cross(), X)
        for wrong in (0, 4, 1.5, True, "2"):
            with pytest.raises(ValueError, match="n_clusters must be from 1 to the 3"):
                merging.labels(wrong)

    def test_cutoffs(self):
        X = make_rows()
        assert merge_components(cross(), X, "demp", cutoff=1.0).n_clusters == 3
        assert merge_components(cross(), X, "demp", cutoff=0.0).n_clusters == 1
        assert merge_components(cross(), method="modes", cutoff=0.0).n_clusters == 1


class TestModes:
    @pytest.mark.parametrize("seed", range(12))
    def test_ascents_end_where_those_of_scipy_do(self, seed):
        rng = np.random.default_rng(seed)
        k, d = int(rng.integers(2, 8)), int(rng.integers(1, 5))
        half = rng.normal(size=(k, d, d))
        covariances = half @ np.swapaxes(half, 1, 2) * 0.4 + 0.1 * np.eye(d)
        mixture = Mixture(rng.dirichlet(np.ones(k)), rng.normal(size=(k, d)) * 2.0, covariances)
        landscape = Landscape.of(mixture)
        modes, labels = group_modes(landscape)
        gradients, hessians, _ = landscape.look_around(modes)
        assert np.abs(gradients).max() < 1e-6 and np.linalg.eigvalsh(hessians).max() < 1e-8
        scale = np.linalg.cholesky(mixture.covariance)
        for mean, label in zip(mixture.means, labels, strict=True):
            end = minimize(lambda x: -mixture.log_prob(x[None])[0], mean, options={"gtol": 1e-7}).x
            assert_allclose(mixture.mean + scale @ modes[label], end, atol=1e-3)

    def test_two_of_a_variance_have_two_modes_beyond_two_deviations(self):
        for distance, expected in ((1.9, 1), (2.1, 2)):
            mixture = Mixture([0.5, 0.5], [[0.0], [distance]], [1.0], "EII")
            merging = merge_components(mixture, method="modes")
            assert merging.n_clusters == expected and merging.entropies is None

    def test_an_ascent_leaves_a_saddle(self):
        """The middle component is weak, and by symmetry the density has no slope at its mean."""
        mixture = Mixture([0.45, 0.1, 0.45], [[-2.0], [0.0], [2.0]], [1.0], "EII")
        assert merge_components(mixture, method="modes").n_clusters == 2

    def test_two_gaussians_can_have_three_modes_but_components_climb_to_two(self):
        mixture = Mixture([0.5, 0.5], [[0.0, 0.0], [1.0, 1.0]], [[0.05, 1.0], [1.0, 0.05]], "diag")
        modes = Landscape.of(mixture).find_modes(np.random.default_rng(0).normal(size=(200, 2)))
        assert len(np.unique(modes.round(4), axis=0)) == 3
        assert merge_components(mixture, method="modes").n_clusters == 2

    def test_passes(self):
        """In one dimension the pass is the least density between two modes."""
        mixture = Mixture([0.6, 0.4], [[0.0], [3.0]], [1.0, 0.5], "spherical")
        landscape = Landscape.of(mixture)
        modes, labels = group_modes(landscape)
        density = np.exp(mixture.log_prob(np.linspace(0.0, 3.0, 30_001)[:, None]))
        peaks = [density[:10_000].max(), density[-10_000:].max()]
        expected = density[5_000:25_000].min() / min(peaks)
        assert_allclose(find_passes(landscape, modes, labels)[0, 1], expected, rtol=2e-3)

    @pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
    def test_units_and_order_make_no_difference(self, scale):
        mixture = random_mixture("full", 5, 3, np.random.default_rng(8), spread=1.0)
        units = np.array([1.0, scale, 1.0])
        other = Mixture(
            mixture.weights, mixture.means * units, mixture.covariances * np.multiply.outer(units, units)
        )
        order = np.array([3, 1, 4, 0, 2])
        one = merge_components(mixture, method="modes")
        other = merge_components(take_components(other, order), method="modes")
        assert one.n_clusters == other.n_clusters
        assert_allclose(one.overlaps, other.overlaps, atol=1e-6)
        labels, theirs = one.labels()[order], other.labels()
        assert_array_equal(labels[:, None] == labels, theirs[:, None] == theirs)


class TestModels:
    def test_whatever_has_a_mixture(self):
        X = make_rows(60)
        result = search(X, 3, covariance_type="VVV")
        model = GaussianMixture(3, random_state=0).fit(X)
        theirs = SklearnMixture(3, random_state=0).fit(X)
        for each, mixture in (
            (result, result.best.mixture),
            (model, model.mixture_),
            (result.best, result.best.mixture),
        ):
            assert merge_components(each, X).mixture is mixture
            assert project(each, X).mixture is mixture
        assert_array_equal(merge_components(theirs, X).mixture.means, theirs.means_)
        assert_allclose(project(theirs).centre, theirs.weights_ @ theirs.means_)
        aligned = result.best.mixture.align_to(theirs)
        assert aligned.means[:, 0].argmax() == theirs.means_[:, 0].argmax()  # the component far to the right
