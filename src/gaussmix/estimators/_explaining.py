"""Reasons of a fitted detector for its scores, and scores of rows that come in parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from gaussmix._typing import Float64Array
from gaussmix.apps.anomaly.explanation import Explanation, explain_rows
from gaussmix.apps.anomaly.normal_model import NormalModel
from gaussmix.apps.anomaly.normal_rows import NormalRows


class Explaining:
    """The methods of a fitted detector that say why a row is an anomaly, and that score rows in parts."""

    model_: NormalModel
    offset_: float
    _read: Any
    score_samples: Any

    def explain(self, X: Any) -> Explanation:
        """Why rows are, or are not, anomalies: what each feature contributes, in nats.

        Each row is compared with the component of the normal rows that is most responsible for it. Its
        contributions are the Shapley values of the features, 1/2 (z - m)_j (P (z - m))_j, with z the row in
        the standardised columns, m the mean of the component and P its precision. They sum to how far the
        log-density of the component at the row is below its greatest value.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d)
            Any rows. The answer holds some 6 n d numbers: ask about anomalies, not about millions of rows.

        Returns
        -------
        Explanation
            With the value that is expected of each feature, the component, and the nearest normal row of the
            fit; `reasons()` says it in words.

        Raises
        ------
        ValueError
            If X has other columns than the fit.

        Examples
        --------
        >>> import numpy as np
        >>> import gaussmix
        >>> rng = np.random.default_rng(0)
        >>> height = rng.normal(1.7, 0.1, 500)
        >>> X = np.column_stack([height, 40.0 * (height - 1.7) + 65.0 + rng.normal(0.0, 3.0, 500)])
        >>> detector = gaussmix.GaussianMixtureDetector(1, novelty=True).fit(X)
        >>> found = detector.explain([[1.7, 120.0]])
        >>> found.reasons(1)
        ['x1 120 (expected 6...): ... nats']
        >>> bool(found.contributions[0, 1] > 100.0)
        True
        """
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", None)
        return explain_rows(
            self.model_.mixture,
            self._read(X),
            columns=self.model_.columns,
            normal=self.normal_rows_,
            feature_names=None if names is None else list(map(str, names)),
        )

    def score_chunks(self, chunks: Iterable[Any]) -> Iterator[Float64Array]:
        """The scores of rows that come in parts, part by part, each when it is asked for.

        Nothing of a part is kept, so that a stream may be endless. A part without rows has no scores.

        Parameters
        ----------
        chunks : iterable of array-likes or data frames of shape (m, d)

        Returns
        -------
        iterator of ndarray of shape (m,)
            What :meth:`score_samples` says of each part.

        Examples
        --------
        >>> import numpy as np
        >>> import gaussmix
        >>> X = np.random.default_rng(0).normal(size=(300, 2))
        >>> detector = gaussmix.GaussianMixtureDetector(1).fit(X)
        >>> [len(scores) for scores in detector.score_chunks([X[:100], X[:0], X[100:]])]
        [100, 0, 200]
        """
        check_is_fitted(self)  # at once, and not when the first part comes
        return (self.score_samples(chunk) if has_rows(chunk) else np.empty(0) for chunk in chunks)

    def _keep_normal_rows(
        self, rows: Float64Array, scores: Float64Array, weights: Float64Array | None
    ) -> None:
        """Keep rows of the fit that are no anomalies: a row is shown the nearest of them."""
        normal = scores >= self.offset_
        self.normal_rows_ = NormalRows.draw(rows, normal if weights is None else normal & (weights > 0.0))


def has_rows(chunk: Any) -> bool:
    """Whether there is a row in an array, a data frame or a list."""
    shape = getattr(chunk, "shape", None)
    return bool(len(chunk) if shape is None else shape[0])
