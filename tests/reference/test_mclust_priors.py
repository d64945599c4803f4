"""Values of mclust 6.0 (R) with a prior, for the faithful data, from its hierarchical start to its last digit.

They are of `Mclust(X, G, modelNames = m, prior = priorControl(), control = emControl(tol = 1e-14))`, and the last
of `priorControl(mean = c(3, 70), shrinkage = 5, scale = matrix(c(1, 2, 2, 40), 2))`, which has dof = d + 2. Of the families that
mclust has a prior for, these are those whose M-step is the maximum of likelihood times prior; the others leave a
part of the prior out of it (docs/priors-and-constraints.md), so that ours differ from them.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gaussmix import NormalInverseWishart, fit_mixture
from gaussmix.datasets import load_faithful

OWN = NormalInverseWishart(mean=[3.0, 70.0], shrinkage=5.0, dof=4.0, scale=[[1.0, 2.0], [2.0, 40.0]])
#: Log-likelihood; weights, means and covariances, components in the order of their first means.
VALUES = {
    ("VII", "mclust"): (
        -1709.58082961,
        [0.3668862518, 0.6331137482],
        [[2.097241923, 54.738181400], [4.293628694, 80.261442057]],
        [[16.88374565, 0.0, 16.88374565], [15.78278596, 0.0, 15.78278596]],
    ),
    ("VVI", "mclust"): (
        -1229.21568993,
        [0.3650802844, 0.6349197156],
        [[2.073952975, 54.741255957], [4.300773419, 80.187079876]],
        [[0.5498982795, 0.0, 33.6251568361], [0.4172507608, 0.0, 32.1589003273]],
    ),
    ("EEE", "mclust"): (
        -1126.42717921,
        [0.3563970139, 0.1722878815, 0.4713151046],
        [[2.037807763, 54.493366574], [3.802128204, 77.601577751], [4.469323214, 80.850294325]],
        [[0.0762185176, 0.4800870663, 32.8128984981]] * 3,
    ),
    ("VVV", "mclust"): (
        -1130.509263671,
        [0.3560757295, 0.6439242705],
        [[2.03703413779, 54.48526503112], [4.290051857505, 79.97283282516]],
        [
            [0.07066892108427, 0.474768639578, 32.06048442668],
            [0.1656085320375, 0.9314112062063, 34.9063642962],
        ],
    ),
    ("E", "mclust"): (
        -287.309151117,
        [0.3599208645, 0.6400791355],
        [[2.04822267], [4.29729392]],
        [[0.1303560607]] * 2,
    ),
    ("V", "mclust"): (
        -276.396313758,
        [0.3490585994, 0.6509414006],
        [[2.020282892], [4.274748831]],
        [[0.05673007696], [0.18472919980]],
    ),
    ("VVV", OWN): (
        -1140.586205,
        [0.3574236985, 0.6425763015],
        [[2.087769467, 55.289020355], [4.256666869, 79.721536972]],
        [[0.1189890482, 1.1417662516, 42.8453721963], [0.2093324813, 1.2188008544, 37.0143263846]],
    ),
}


@pytest.mark.parametrize(("name", "prior"), VALUES)
def test_the_most_probable_mixture_is_that_of_mclust(name, prior):
    log_likelihood, weights, means, covariances = VALUES[name, prior]
    X = load_faithful()[0]
    X = X[:, :1] if len(name) == 1 else X
    result = fit_mixture(
        X,
        len(weights),
        covariance_type=name,
        prior=prior,
        init_params="agglomerative",
        tol=1e-13,
        max_iter=5000,
    )
    mixture = result.mixture
    order = np.argsort(mixture.means[:, 0])
    rows, columns = np.tril_indices(X.shape[1])
    assert_allclose(result.log_likelihood, log_likelihood, atol=1e-5)
    assert_allclose(mixture.weights[order], weights, rtol=1e-5)
    assert_allclose(mixture.means[order], means, rtol=1e-5)
    assert_allclose(mixture.dense_covariances[order][:, rows, columns], covariances, rtol=1e-5, atol=1e-9)


def test_both_names_are_one_prior():
    X = load_faithful()[0]
    one, other = (
        fit_mixture(X, 2, prior=name, random_state=0, init_params="kmeans")
        for name in ("mclust", "fraley-raftery")
    )
    third = fit_mixture(X, 2, prior=NormalInverseWishart(), random_state=0, init_params="kmeans")
    assert one.objective == other.objective == third.objective
