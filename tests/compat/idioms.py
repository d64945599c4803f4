"""What published code does with scikit-learn's GaussianMixture, shortened: each idiom is a function of the class.

They stand for what was found in repositories, tutorials, answers and scikit-learn's own gallery: fitting and
selecting, reading attributes, assigning them, models made by hand or restored from files, private steps, and
subclasses. What they return says how it is to be compared (comparing.py).
"""

from __future__ import annotations

import copy
import io
import json
import pickle  # noqa: TID251  (that is what published code does)
import warnings
from contextlib import redirect_stdout

import joblib
import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm
from sklearn.base import BaseEstimator, DensityMixin, clone
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.mixture._gaussian_mixture import (
    _compute_log_det_cholesky,
    _compute_precision_cholesky,
    _estimate_gaussian_parameters,
)
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from tests.compat.comparing import Labels, Like, Near, NoWorse, exactly

CENTRES = np.array([[0.0, 0.0], [9.0, 1.0], [2.0, 10.0]])
COVARIANCES = np.array([[[1.0, 0.6], [0.6, 1.0]], [[0.5, 0.0], [0.0, 2.0]], [[1.5, -0.7], [-0.7, 0.8]]])
WEIGHTS = np.array([0.5, 0.3, 0.2])
TYPES = ("full", "tied", "diag", "spherical")
PARAMETERS = ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_")


def blobs(n=400, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, n, p=WEIGHTS)
    root = np.linalg.cholesky(COVARIANCES)
    return CENTRES[labels] + np.einsum("nij,nj->ni", root[labels], rng.normal(size=(n, 2))), labels


X, Y = blobs()
NEW, _ = blobs(150, seed=1)
LINE = np.concatenate(
    [np.random.default_rng(2).normal(-4, 1, 300), np.random.default_rng(3).normal(5, 2, 200)]
)

IDIOMS = {}


def idiom(function):
    IDIOMS[function.__name__] = function
    return function


def by_hand(GaussianMixture, covariance_type="full", **parameters):
    """A model whose attributes were assigned, as it is found most often."""
    model = GaussianMixture(n_components=3, covariance_type=covariance_type, **parameters)
    model.weights_ = WEIGHTS.copy()
    model.means_ = CENTRES.copy()
    model.covariances_ = COVARIANCES.copy()
    model.precisions_cholesky_ = _compute_precision_cholesky(model.covariances_, "full")
    return model


def answers(model, rows=NEW):
    """What a model says of rows, whose parameters are known."""
    return (
        exactly(model.predict(rows)),
        Near(model.predict_proba(rows), 1e-6, 1e-12),
        exactly(model.score_samples(rows)),
        exactly(model.score(rows)),
    )


# ------------------------------------------------------------------------------------------------- fitting


@idiom
def ellipses_of_the_components(GaussianMixture):
    gmm = GaussianMixture(n_components=3, random_state=42).fit(X)
    factor, areas = 0.2 / gmm.weights_.max(), []
    for position, covariance, weight in zip(gmm.means_, gmm.covariances_, gmm.weights_, strict=True):
        U, s, _ = np.linalg.svd(covariance)
        assert position.shape == (2,) and np.isfinite(np.degrees(np.arctan2(U[1, 0], U[0, 0])))
        areas.append((weight * factor, *(2 * np.sqrt(s))))
    return Near(np.array(sorted(areas)))


@idiom
def means_of_the_classes_as_the_start(GaussianMixture):
    found = []
    for covariance_type in TYPES:
        estimator = GaussianMixture(
            n_components=3, covariance_type=covariance_type, max_iter=20, random_state=0
        )
        estimator.means_init = np.array([X[i == Y].mean(axis=0) for i in range(3)])
        estimator.fit(X)
        accuracy = np.mean(estimator.predict(X).ravel() == Y.ravel()) * 100
        found.append(Near(accuracy))
    return found


@idiom
def density_as_a_contour_plot(GaussianMixture):
    clf = GaussianMixture(n_components=3, covariance_type="full").fit(X)
    x, y = np.meshgrid(np.linspace(-5.0, 12.0, 20), np.linspace(-5.0, 14.0, 25))
    Z = -clf.score_samples(np.array([x.ravel(), y.ravel()]).T)
    return Near(Z.reshape(x.shape), 5e-2)


@idiom
def selection_by_a_grid_search_of_bic(GaussianMixture):
    def gmm_bic_score(estimator, X):
        return -estimator.bic(X)

    grid = {"n_components": range(1, 5), "covariance_type": ["spherical", "full"]}
    search = GridSearchCV(GaussianMixture(random_state=0), param_grid=grid, scoring=gmm_bic_score)
    return search.fit(X).best_params_["n_components"], search.best_params_["covariance_type"]


@idiom
def selection_by_a_loop_over_bic_and_aic(GaussianMixture):
    n_components = np.arange(1, 6)
    models = [GaussianMixture(n, covariance_type="full", random_state=0).fit(X) for n in n_components]
    bics, aics = [m.bic(X) for m in models], [m.aic(X) for m in models]
    return n_components[np.argmin(bics)], Near(bics[2], 1e-3), Near(aics[2], 1e-3), Like(bics[0])


@idiom
def starts_without_iterations(GaussianMixture):
    found = []
    for method in ("kmeans", "random_from_data", "k-means++", "random"):
        gmm = GaussianMixture(n_components=3, init_params=method, tol=1e-9, max_iter=0, random_state=1).fit(X)
        found += [gmm.n_iter_, Like(gmm.means_), gmm.converged_]
    return found


@idiom
def new_digits_after_pca(GaussianMixture):
    data = np.random.default_rng(0).normal(size=(200, 8)) @ np.diag(np.arange(1.0, 9.0))
    pca = PCA(0.95, whiten=True)
    gmm = GaussianMixture(2, covariance_type="full", random_state=0).fit(pca.fit_transform(data))
    drawn, origin = gmm.sample(100)
    return gmm.converged_, Like(pca.inverse_transform(drawn)), Like(origin), Like(drawn)


@idiom
def anomalies_below_a_percentile(GaussianMixture):
    gm = GaussianMixture(n_components=3, n_init=10, random_state=42).fit(X)
    densities = gm.score_samples(X)
    threshold = np.percentile(densities, 4)
    return X[densities < threshold].shape, Near(threshold), (densities < threshold).sum()


@idiom
def sizes_by_certainty(GaussianMixture):
    probs = GaussianMixture(3).fit(X).predict_proba(X)
    size = 50 * probs.max(1) ** 2
    return Like(probs), Near(size), probs.round(3).sum(axis=1).max() <= 1.002


@idiom
def a_speaker_for_each_model(GaussianMixture):
    models = []
    for speaker in range(3):
        gmm = GaussianMixture(n_components=2, max_iter=200, covariance_type="diag", n_init=3, random_state=0)
        gmm.fit(X[speaker == Y])
        models.append(gmm)
    log_likelihood = np.zeros(len(models))
    winners = []
    for row in NEW[:40]:
        for i, gmm in enumerate(models):
            log_likelihood[i] = np.array(gmm.score(row.reshape(1, -1))).sum()
        winners.append(int(np.argmax(log_likelihood)))
    return winners


@idiom
def fisher_vectors(GaussianMixture):
    gmm = GaussianMixture(n_components=3, covariance_type="diag", random_state=0).fit(X)
    xx = np.atleast_2d(NEW)
    Q = gmm.predict_proba(xx)
    Q_sum = np.sum(Q, 0)[:, np.newaxis] / len(xx)
    Q_xx = np.dot(Q.T, xx) / len(xx)
    Q_xx_2 = np.dot(Q.T, xx**2) / len(xx)
    d_pi = Q_sum.squeeze() - gmm.weights_
    d_mu = Q_xx - Q_sum * gmm.means_
    d_sigma = -Q_xx_2 - Q_sum * gmm.means_**2 + Q_sum * gmm.covariances_ + 2 * Q_xx * gmm.means_
    order = np.argsort(gmm.means_[:, 0])
    return Near(np.hstack((d_pi[order], d_mu[order].flatten(), d_sigma[order].flatten())), 1e-2, 1e-2)


@idiom
def colours_of_an_image(GaussianMixture):
    rng = np.random.default_rng(0)
    palette = np.array([[200, 30, 30], [20, 180, 40], [30, 40, 220]], dtype=np.uint8)
    image = palette[rng.integers(0, 3, (20, 25))] + rng.integers(0, 12, (20, 25, 3)).astype(np.uint8)
    pixels = image.reshape((-1, 3)).astype(float)
    gmm = GaussianMixture(n_components=3, random_state=0).fit(pixels)
    segmented = gmm.means_[gmm.predict(pixels)].astype(np.uint8).reshape(image.shape)
    return Like(segmented), Labels(gmm.predict(pixels)), np.abs(segmented.astype(int) - image).max() < 20


@idiom
def a_histogram_and_its_components(GaussianMixture):
    values = [round(v) for v in LINE]
    gmm = GaussianMixture(n_components=2, random_state=0).fit(np.array(values).reshape(-1, 1))
    mu, sd = gmm.means_.flatten(), np.sqrt(gmm.covariances_).flatten()
    x = np.linspace(-10, 12, 50)
    curve = sum(w * norm.pdf(x, m, s) for w, m, s in zip(gmm.weights_.flatten(), mu, sd, strict=True))
    return Near(np.sort(mu), 5e-2), Near(curve, 5e-2, 1e-3)


@idiom
def lists_of_lists(GaussianMixture):
    gmm = GaussianMixture(n_components=2, random_state=0).fit(
        [[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]]
    )
    return Labels(gmm.predict([[0, 0], [12, 3]])), Like(gmm.means_), Near(np.sort(gmm.means_[:, 0]))


@idiom
def data_frames(GaussianMixture):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=["height", "width"])
    gmm = GaussianMixture(n_components=3, random_state=0).fit(frame)
    frame["cluster"] = gmm.predict(frame[["height", "width"]])
    means = frame.groupby("cluster")[["height", "width"]].mean().sort_values("height")
    return (
        gmm.n_features_in_,
        list(gmm.feature_names_in_),
        Near(means.to_numpy()),
        Labels(frame["cluster"].to_numpy()),
    )


@idiom
def single_precision(GaussianMixture):
    gmm = GaussianMixture(3, covariance_type="tied", random_state=0).fit(X.astype(np.float32))
    rows = NEW.astype(np.float32)
    found = [getattr(gmm, name) for name in PARAMETERS]
    return [
        Like(array) for array in (*found, gmm.predict(rows), gmm.score_samples(rows), gmm.predict_proba(rows))
    ]


@idiom
def pipelines_and_cross_validation(GaussianMixture):
    pipeline = Pipeline([("scaler", StandardScaler()), ("gmm", GaussianMixture(3, random_state=0))])
    labels = pipeline.fit_predict(X)
    scores = cross_val_score(make_pipeline(StandardScaler(), GaussianMixture(3, random_state=0)), X, cv=4)
    return Labels(labels), Like(scores), NoWorse(scores.mean()), Like(pipeline.named_steps["gmm"].means_)


@idiom
def parameters_in_and_out(GaussianMixture):
    gmm = GaussianMixture(3, tol=1e-4, random_state=0)
    again = GaussianMixture(**gmm.get_params())
    other = clone(gmm).set_params(n_components=2, covariance_type="diag")
    kept = ("n_components", "tol", "covariance_type", "random_state", "max_iter", "n_init", "warm_start")
    return [[model.get_params()[name] for name in kept] for model in (gmm, again, other)]


@idiom
def a_start_from_k_means(GaussianMixture):
    kmeans = KMeans(3, n_init=3, random_state=0).fit(X)
    weights = np.bincount(kmeans.labels_) / len(X)
    covariances = np.array([np.cov(X[kmeans.labels_ == k].T) for k in range(3)])
    gmm = GaussianMixture(
        3,
        weights_init=weights,
        means_init=kmeans.cluster_centers_,
        precisions_init=np.linalg.inv(covariances),
    ).fit(X)
    return Near(gmm.means_), Near(gmm.weights_), Near(gmm.covariances_, 1e-2, 1e-2), gmm.n_iter_ < 10


@idiom
def warm_starts_one_iteration_at_a_time(GaussianMixture):
    gmm = GaussianMixture(3, warm_start=True, max_iter=1, init_params="random", random_state=3)
    bounds = []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=ConvergenceWarning)
        for _ in range(300):
            gmm.fit(X)
            bounds.append(gmm.lower_bound_)
            if gmm.converged_:
                break
    return gmm.converged_, bool(np.all(np.diff(bounds) > -1e-9)), gmm.n_iter_, Like(gmm.lower_bound_)


@idiom
def a_divergence_by_drawing(GaussianMixture):
    p, q = by_hand(GaussianMixture, random_state=0), by_hand(GaussianMixture, random_state=1)
    q.means_ = q.means_ + 1.0
    rows = p.sample(10**4)[0]
    return Near(p.score_samples(rows).mean() - q.score_samples(rows).mean(), 0.1)


@idiom
def what_it_is(GaussianMixture):
    gmm = GaussianMixture(2)
    methods = (
        "fit",
        "fit_predict",
        "predict",
        "predict_proba",
        "score",
        "score_samples",
        "sample",
        "aic",
        "bic",
    )
    return isinstance(gmm, BaseEstimator), isinstance(gmm, DensityMixin), [hasattr(gmm, m) for m in methods]


@idiom
def mistakes(GaussianMixture):
    gmm = GaussianMixture(3, random_state=0)
    tries = (
        lambda: gmm.predict(X),
        lambda: check_is_fitted(gmm),
        lambda: gmm.sample(),
        lambda: gmm.fit(X[:2]),
        lambda: gmm.fit(X[:, 0]),
        lambda: gmm.fit(np.where(X > 8, np.nan, X)),
        lambda: gmm.fit(X).predict(X[:, :1]),
        lambda: gmm.set_params(covariance_type="round").fit(X),
    )
    caught = []
    for attempt in tries:
        try:
            attempt()
        except (NotFittedError, ValueError, TypeError) as error:
            caught.append("unfitted" if isinstance(error, NotFittedError) else "wrong")
    return caught


@idiom
def prints_on_the_way(GaussianMixture):
    out = io.StringIO()
    with redirect_stdout(out):
        GaussianMixture(3, init_params="random", verbose=2, verbose_interval=1, random_state=0).fit(X)
    return (
        "Initialization 0" in out.getvalue(),
        "  Iteration 1" in out.getvalue(),
        "ll change" in out.getvalue(),
    )


# ------------------------------------------------------------------------------- assigning fitted attributes


@idiom
def components_sorted_by_mean(GaussianMixture):
    gmm = GaussianMixture(3, random_state=0).fit(X)
    order = np.argsort(gmm.means_[:, 0])
    gmm.means_ = gmm.means_[order]
    gmm.weights_ = gmm.weights_[order]
    gmm.covariances_ = gmm.covariances_[order]
    gmm.precisions_ = gmm.precisions_[order]
    gmm.precisions_cholesky_ = gmm.precisions_cholesky_[order]
    return Near(gmm.predict(NEW)), Near(gmm.means_), Near(gmm.predict_proba(NEW), 5e-2, 1e-2)


@idiom
def components_sorted_but_for_the_precisions(GaussianMixture):
    g = GaussianMixture(n_components=2, covariance_type="tied", random_state=0).fit(LINE.reshape(-1, 1))
    order = np.argsort(np.squeeze(g.means_))
    g.means_ = g.means_[order]
    g.weights_ = g.weights_[order]
    return Near(g.predict([[-4.0], [5.0]])), Near(g.bic(LINE.reshape(-1, 1)), 1e-3)


@idiom
def a_subclass_that_sorts(GaussianMixture):
    class Sorted(GaussianMixture):
        def __init__(self, n_components=2, **kwargs):
            super().__init__(n_components=n_components, covariance_type="spherical", **kwargs)

        def fit(self, data):
            super().fit(data)
            order = np.argsort(self.means_.flat)
            self.weights_ = self.weights_[order]
            self.means_ = self.means_[order]
            self.covariances_ = self.covariances_[order].reshape(-1, 1, 1)
            self.precisions_cholesky_ = self.precisions_cholesky_[order]
            self.precisions_ = self.precisions_[order]
            self.sigma_ = np.sqrt(self.covariances_.flat)
            return self

    gmm = Sorted(2, random_state=0).fit(LINE.reshape(-1, 1))
    return (
        Near(gmm.sigma_),
        Near(gmm.predict([[-4.0], [5.0], [0.0]])),
        Near(gmm.score(LINE.reshape(-1, 1)), 1e-3),
    )


@idiom
def wider_draws(GaussianMixture):
    gmm = GaussianMixture(1, random_state=0).fit(X[Y == 0])
    gmm.covariances_ *= 4
    return Near(np.cov(gmm.sample(20000)[0].T), 0.1, 0.1), Near(gmm.covariances_)


@idiom
def a_model_by_hand(GaussianMixture):
    model = by_hand(GaussianMixture)
    return *answers(model), exactly(model.bic(NEW)), exactly(model.aic(NEW))


@idiom
def a_model_by_hand_with_a_cholesky_of_numpy(GaussianMixture):
    gmm = GaussianMixture(n_components=3, covariance_type="full")
    gmm.weights_, gmm.means_, gmm.covariances_ = WEIGHTS, CENTRES, COVARIANCES
    gmm.precisions_cholesky_ = np.linalg.cholesky(np.linalg.inv(COVARIANCES))
    return answers(gmm)


@idiom
def a_model_by_hand_with_a_transposed_cholesky(GaussianMixture):
    gmm = GaussianMixture(n_components=3, covariance_type="full")
    gmm.weights_, gmm.means_, gmm.covariances_ = WEIGHTS, CENTRES, COVARIANCES
    gmm.precisions_cholesky_ = np.linalg.cholesky(np.linalg.inv(COVARIANCES)).transpose((0, 2, 1))
    return answers(gmm)


@idiom
def a_model_by_hand_to_draw_from(GaussianMixture):
    gmm = GaussianMixture(n_components=3, means_init=[-55.0, 0.0, 7.0])
    gmm.means_ = np.array([-55.0, 0.0, 7.0])[..., None]
    gmm.covariances_ = np.array([9.0, 0.25, 1.0])[..., None, None]
    gmm.weights_ = np.array([1 / 3, 1 / 3, 1 / 3])
    rows, labels = gmm.sample(5000)
    means = np.array([rows[labels == k].mean() for k in range(3)])
    return Like(rows), Like(labels), Near(means, 1e-2, 0.3)


@idiom
def a_bump_map_of_precisions_alone(GaussianMixture):
    gmm = GaussianMixture(n_components=3, covariance_type="full")
    gmm.weights_ = np.ones(3)
    gmm.means_ = np.array(CENTRES)
    gmm.precisions_cholesky_ = _compute_precision_cholesky(COVARIANCES, "full")
    density = np.exp(gmm.score_samples(NEW))
    return exactly(density / density.max()), *answers(gmm)


@idiom
def a_diagonal_model_by_its_deviations(GaussianMixture):
    scales = np.sqrt(COVARIANCES[:, [0, 1], [0, 1]])
    gmm = GaussianMixture(n_components=3, covariance_type="diag")
    gmm.weights_, gmm.means_ = WEIGHTS, CENTRES
    gmm.covariances_ = scales**2
    gmm.precisions_ = scales**-2
    gmm.precisions_cholesky_ = scales**-1
    return answers(gmm)


@idiom
def restored_from_npz(GaussianMixture):
    gmm = GaussianMixture(3, covariance_type="diag", random_state=0).fit(X)
    file = io.BytesIO()
    np.savez(file, **{name: getattr(gmm, name) for name in PARAMETERS}, lower_bound=gmm.lower_bound_)
    file.seek(0)
    saved = np.load(file)
    other = GaussianMixture(n_components=len(saved["weights_"]), covariance_type="diag")
    for name in PARAMETERS:
        setattr(other, name, saved[name])
    other.lower_bound_, other.converged_ = saved["lower_bound"], True
    return np.allclose(other.score_samples(NEW), gmm.score_samples(NEW)), Labels(other.predict(NEW))


@idiom
def restored_from_json(GaussianMixture):
    text = json.dumps({"w": WEIGHTS.tolist(), "m": CENTRES.tolist(), "c": COVARIANCES.round(4).tolist()})
    saved = json.loads(text)
    gmm = GaussianMixture(n_components=len(saved["w"]), covariance_type="full")
    gmm.weights_, gmm.means_, gmm.covariances_ = map(np.array, (saved["w"], saved["m"], saved["c"]))
    gmm.precisions_cholesky_ = np.array([np.linalg.cholesky(np.linalg.inv(c)) for c in gmm.covariances_])
    gmm.converged_, gmm.n_iter_, gmm.lower_bound_ = True, 1, 0.0
    check_is_fitted(gmm)
    return answers(gmm)


@idiom
def edited_after_unpickling(GaussianMixture):
    gmm = pickle.loads(pickle.dumps(by_hand(GaussianMixture)))
    before = gmm.score(NEW)
    gmm.means_ += np.array([0.5, -0.5])
    gmm.weights_[:] = [0.2, 0.2, 0.6]
    return exactly(before), *answers(gmm)


@idiom
def dumped_by_joblib(GaussianMixture):
    file = io.BytesIO()
    gmm = GaussianMixture(3, random_state=0).fit(X)
    joblib.dump(gmm, file)
    file.seek(0)
    other = joblib.load(file)
    return np.array_equal(other.predict(NEW), gmm.predict(NEW)), Labels(other.predict(NEW)), other.converged_


@idiom
def a_shifted_deep_copy(GaussianMixture):
    first = by_hand(GaussianMixture)
    second = copy.deepcopy(first)
    second.means_[0] += 5.0
    return *answers(first), *answers(second)


@idiom
def a_marginal(GaussianMixture):
    full = by_hand(GaussianMixture)
    index = [1]
    part = GaussianMixture(n_components=len(full.weights_), covariance_type="full")
    part.weights_ = full.weights_
    part.means_ = full.means_[:, index]
    part.covariances_ = np.array([c[np.ix_(index, index)] for c in full.covariances_])
    part.precisions_cholesky_ = _compute_precision_cholesky(part.covariances_, "full")
    return answers(part, NEW[:, index])


@idiom
def a_conditional(GaussianMixture):
    joint, given = by_hand(GaussianMixture), 1.5
    weights, means, covariances = [], [], []
    for w, m, C in zip(joint.weights_, joint.means_, joint.covariances_, strict=True):
        weights.append(w * norm.pdf(given, m[0], np.sqrt(C[0, 0])))
        means.append([m[1] + C[1, 0] / C[0, 0] * (given - m[0])])
        covariances.append([[C[1, 1] - C[1, 0] ** 2 / C[0, 0]]])
    new = GaussianMixture(n_components=3, covariance_type="full")
    new.weights_ = np.array(weights) / np.sum(weights)
    new.means_, new.covariances_ = np.array(means), np.array(covariances)
    new.precisions_cholesky_ = _compute_precision_cholesky(new.covariances_, "full")
    return answers(new, NEW[:, 1:])


@idiom
def two_models_as_one(GaussianMixture):
    one, two = by_hand(GaussianMixture), by_hand(GaussianMixture)
    two.means_ = two.means_ - 20.0
    both = GaussianMixture(n_components=6, covariance_type="full")
    both.weights_ = np.concatenate([one.weights_, two.weights_]) / 2
    for name in PARAMETERS[1:3] + PARAMETERS[4:]:
        setattr(both, name, np.concatenate([getattr(one, name), getattr(two, name)]))
    return *answers(both), both._n_parameters()


@idiom
def without_a_component(GaussianMixture):
    gmm = by_hand(GaussianMixture)
    keep = gmm.weights_ > 0.25
    for name in ("weights_", "means_", "covariances_", "precisions_cholesky_"):
        setattr(gmm, name, getattr(gmm, name)[keep])
    gmm.weights_ /= gmm.weights_.sum()
    gmm.n_components = int(keep.sum())
    return answers(gmm)


@idiom
def a_component_of_no_weight(GaussianMixture):
    gmm = by_hand(GaussianMixture)
    gmm.weights_[2] = 0.0
    return exactly(gmm.predict(NEW)), exactly(gmm.score_samples(NEW))


@idiom
def other_priors_of_the_components(GaussianMixture):
    gmm = by_hand(GaussianMixture)
    counts = np.array([10, 30, 60])
    gmm.weights_ = counts / np.sum(counts)
    return answers(gmm)


@idiom
def numbers_of_a_paper(GaussianMixture):
    gmm = GaussianMixture(n_components=3, covariance_type="full", random_state=0)
    gmm.weights_ = np.array([0.333, 0.333, 0.333])
    gmm.means_ = np.array([[0, 0], [9, 1], [2, 10]])
    gmm.covariances_ = np.array([[[1.0, 0.6], [0.6, 1.0]]] * 3)
    gmm.precisions_cholesky_ = np.array([[[1.25, 0.0], [-0.75, 1.0]]] * 3)
    rows, labels = gmm.sample(3000)
    return *answers(gmm), Like(rows), Near(np.bincount(labels) / 3000, 0.1, 0.02)


@idiom
def a_background_model_adapted_to_a_speaker(GaussianMixture):
    ubm = by_hand(GaussianMixture)
    speaker, rows = copy.deepcopy(ubm), NEW + 0.4
    post = ubm.predict_proba(rows)
    n = post.sum(axis=0)
    alpha = (n / (n + 16.0))[:, None]
    speaker.means_ = alpha * (post.T @ rows) / n[:, None] + (1 - alpha) * ubm.means_
    return exactly(speaker.score(rows) - ubm.score(rows)), *answers(speaker)


@idiom
def tied_made_full(GaussianMixture):
    gmm = GaussianMixture(2, covariance_type="tied", random_state=0).fit(LINE.reshape(-1, 1))
    before = gmm.score_samples(LINE[:9, None])
    gmm.covariance_type = "full"
    gmm.covariances_ = np.array([gmm.covariances_] * 2)
    gmm.precisions_cholesky_ = np.array([gmm.precisions_cholesky_] * 2)
    return np.allclose(gmm.score_samples(LINE[:9, None]), before), Like(gmm.sample(3)[0])


@idiom
def everything_that_was_fitted(GaussianMixture):
    gmm = GaussianMixture(3, random_state=0).fit(X)
    fitted = {name: value for name, value in vars(gmm).items() if name.endswith("_")}
    names = (*PARAMETERS, "converged_", "n_iter_", "lower_bound_", "n_features_in_")
    return [Like(fitted[name]) for name in names]


@idiom
def half_a_model(GaussianMixture):
    gmm = GaussianMixture(2)
    gmm.means_ = CENTRES[:2]
    try:
        gmm.predict(NEW)
    except AttributeError:
        return "no weights"


@idiom
def the_density_of_scipy(GaussianMixture):
    gmm = GaussianMixture(3, random_state=0).fit(X)
    parts = zip(gmm.weights_, gmm.means_, gmm.covariances_, strict=True)
    density = sum(w * multivariate_normal.pdf(NEW, m, C) for w, m, C in parts)
    return np.allclose(np.exp(gmm.score_samples(NEW)), density), Near(density, 0.1, 1e-4)


# ------------------------------------------------------------------------------------------- private steps


@idiom
def the_border_of_two_components(GaussianMixture):
    gmm = GaussianMixture(2, random_state=0).fit(LINE.reshape(-1, 1))

    def difference(x):
        joint = gmm._estimate_weighted_log_prob(np.array([[x]]))
        return (joint[:, 0] - joint[:, 1])[0]

    return Near(brentq(difference, *np.sort(gmm.means_.ravel())), 5e-2)


@idiom
def parameters_to_and_from_a_tuple(GaussianMixture):
    params = pickle.loads(pickle.dumps(by_hand(GaussianMixture)._get_parameters()))
    gmm = GaussianMixture(covariance_type="full")
    gmm._set_parameters(params)
    gmm.n_components = gmm.means_.shape[0]
    return len(params), exactly(gmm.precisions_), *answers(gmm)


@idiom
def criteria_by_hand(GaussianMixture):
    found = []
    for covariance_type in TYPES:
        gmm = GaussianMixture(3, covariance_type=covariance_type, random_state=0).fit(X)
        count = gmm._n_parameters()
        by_hand_too = -2 * gmm.score(X) * X.shape[0] + count * np.log(X.shape[0])
        found += [count, np.isclose(by_hand_too, gmm.bic(X)), type(count)]
    return found


@idiom
def log_densities_of_the_components(GaussianMixture):
    gmm = by_hand(GaussianMixture)
    log_prob, log_weights = gmm._estimate_log_prob(NEW), gmm._estimate_log_weights()
    log_norm, log_resp = gmm._estimate_log_prob_resp(NEW)
    joint = log_prob + log_weights
    return (
        *(exactly(a) for a in (log_prob, log_weights, log_norm, gmm._estimate_weighted_log_prob(NEW))),
        Near(log_resp, 1e-6, 1e-9),
        bool(np.allclose(logsumexp(joint, axis=1), log_norm)),
        exactly(_compute_log_det_cholesky(gmm.precisions_cholesky_, "full", 2)),
    )


@idiom
def a_loop_of_steps(GaussianMixture):
    gmm = GaussianMixture(3, init_params="kmeans", reg_covar=1e-6, random_state=0)
    gmm._check_parameters(X)
    gmm._initialize_parameters(X, np.random.RandomState(0))
    bounds = []
    for _ in range(20):
        log_prob_norm, log_resp = gmm._e_step(X)
        gmm._m_step(X, log_resp)
        bounds.append(gmm._compute_lower_bound(log_resp, log_prob_norm))
    return Near(bounds[-1], 1e-3), Like(log_resp), Labels(gmm.predict(NEW)), Near(np.sort(gmm.weights_))


@idiom
def a_model_of_labelled_rows(GaussianMixture):
    found = []
    for covariance_type in TYPES:
        gmm = GaussianMixture(3, covariance_type=covariance_type, reg_covar=1e-6)
        gmm._initialize(X, np.eye(3)[Y])
        found += [exactly(gmm.means_), exactly(gmm.weights_), exactly(gmm.covariances_), *answers(gmm)]
    return found


@idiom
def means_and_precisions_of_another_program(GaussianMixture):
    gmm = GaussianMixture(3, covariance_type="full", means_init=CENTRES, weights_init=WEIGHTS)
    gmm._initialize(X, np.ones((X.shape[0], 3)))
    gmm.precisions_cholesky_ = _compute_precision_cholesky(COVARIANCES, "full")
    return answers(gmm)


# ------------------------------------------------------------------------------------------------ subclasses


@idiom
def means_that_stay(GaussianMixture):
    class FixedMeans(GaussianMixture):
        def _check_parameters(self, X, xp=None):
            super()._check_parameters(X)
            assert self.means_init is not None

        def _m_step(self, X, log_resp, xp=None):
            means = self.means_
            self.weights_, _, self.covariances_ = _estimate_gaussian_parameters(
                X, np.exp(log_resp), self.reg_covar, self.covariance_type
            )
            self.weights_ /= self.weights_.sum()
            self.means_ = means
            self.precisions_cholesky_ = _compute_precision_cholesky(self.covariances_, self.covariance_type)

    gmm = FixedMeans(3, means_init=CENTRES, random_state=0).fit(X)
    return (
        exactly(gmm.means_),
        Near(gmm.weights_),
        Near(gmm.covariances_, 1e-2, 1e-2),
        Labels(gmm.predict(NEW)),
    )


@idiom
def labels_that_are_known(GaussianMixture):
    class Labelled(GaussianMixture):
        def _initialize_parameters(self, X, random_state, xp=None):
            resp = np.zeros((X.shape[0], self.n_components))
            for row, label in enumerate(self.labels):
                if label > -1:
                    resp[row, label] = 1
            self._initialize(X, resp)

        def fit(self, X, y=None):
            self.labels = y
            self.fit_predict(X, y)
            return self

    known = np.where(np.arange(len(Y)) < 60, Y, -1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        gmm = Labelled(3, max_iter=30).fit(X, known)
    return Near(gmm.predict(NEW)), Near(gmm.means_, 1e-2, 1e-2)


@idiom
def a_history_of_the_iterations(GaussianMixture):
    class Tracking(GaussianMixture):
        def _m_step(self, X, log_resp, xp=None):
            super()._m_step(X, log_resp)
            self.track.append(self.means_.copy())

        def _print_verbose_msg_iter_end(self, n_iter, diff_ll):
            self.seen.append(n_iter)

    gmm = Tracking(3, init_params="kmeans", random_state=0)
    gmm.track, gmm.seen = [], []
    gmm.fit(X)
    return len(gmm.track) == gmm.n_iter_, gmm.seen == list(range(1, gmm.n_iter_ + 1)), Like(gmm.track[-1])


@idiom
def a_density_of_ones_own(GaussianMixture):
    class Tempered(GaussianMixture):
        def _estimate_log_prob(self, X, xp=None):
            return 0.5 * super()._estimate_log_prob(X)

    gmm = Tempered(3, covariance_type="full")
    gmm.weights_, gmm.means_, gmm.covariances_ = WEIGHTS, CENTRES, COVARIANCES
    gmm.precisions_cholesky_ = _compute_precision_cholesky(COVARIANCES, "full")
    return answers(gmm)


@idiom
def probabilities_as_features(GaussianMixture):
    class Transformer(GaussianMixture):
        def transform(self, X):
            return self.predict_proba(X)

    pipeline = make_pipeline(StandardScaler(), Transformer(3, random_state=0), LogisticRegression())
    return Near(pipeline.fit(X, Y).score(NEW, blobs(150, seed=1)[1])), Like(pipeline[:-1].transform(X))
