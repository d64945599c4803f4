"""Packages that know scikit-learn's mixture alone, unchanged, under the patch: scikit-lego and PyOD."""

from __future__ import annotations

import importlib.util

import pytest

COMMON = """
import logging, sys
import numpy as np
logging.basicConfig(level="INFO", stream=sys.stdout, format="%(message)s")
rng = np.random.default_rng(0)
X = np.concatenate([rng.normal(0, 1, (200, 3)), rng.normal(6, 1, (200, 3))])
y = np.repeat([0, 1], 200)
far = np.full((5, 3), 40.0)
def all_ours(models):
    import gaussmix, sklearn.mixture
    assert all(isinstance(model, gaussmix.GaussianMixture) for model in models)
    assert all(isinstance(model, sklearn.mixture.GaussianMixture) for model in models)
"""

PROGRAMS = {
    "sklego.mixture.gmm_classifier": """
from sklego.mixture import GMMClassifier
model = GMMClassifier(n_components=2, random_state=0).fit(X, y)
all_ours(model.gmms_.values())
assert model.score(X, y) > 0.99
""",
    "sklego.mixture.gmm_outlier_detector": """
from sklego.mixture import GMMOutlierDetector
for method, threshold in ("quantile", 0.95), ("stddev", 4):
    model = GMMOutlierDetector(n_components=2, threshold=threshold, method=method, random_state=0).fit(X)
    all_ours([model.gmm_])
    assert (model.predict(far) == -1).all() and (model.predict(X) == 1).mean() > 0.9
""",
    "sklego.naive_bayes": """
from sklego.naive_bayes import GaussianMixtureNB
model = GaussianMixtureNB(n_components=2, random_state=0).fit(X, y)
all_ours(gmm for per_class in model.gmms_.values() for gmm in per_class)
assert (model.predict(X) == y).mean() > 0.99
""",
    "pyod.models.gmm": """
from pyod.models.gmm import GMM
model = GMM(n_components=2, contamination=0.05, random_state=0).fit(X)
all_ours([model.detector_])
assert model.predict(far).all() and model.labels_.mean() < 0.06
assert model.decision_function(far).min() > model.decision_scores_.max()
assert model.weights_.shape == (2,) and model.converged_ and model.n_iter_ > 0
""",
}


@pytest.mark.parametrize("module", PROGRAMS)
def test_a_package_runs_on_ours_and_the_log_says_so(run, tmp_path, module):
    package = module.split(".")[0]
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed (the extras downstream and test)")
    (tmp_path / "program.py").write_text(COMMON + PROGRAMS[module])
    process = run("-m", "gaussmix.accel", "program.py")
    assert process.returncode == 0, process.stderr
    assert f"gaussmix.accel: {module} uses gaussmix's GaussianMixture" in process.stdout
    assert process.stderr.startswith("gaussmix.accel: sklearn.mixture.GaussianMixture is gaussmix")
