"""A fitted classifier in a file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from gaussmix.apps.classes.classifier_file import ClassifierState, read_classifier, write_classifier
from gaussmix.errors import ModelFileError
from gaussmix.estimators._exporting_classes import ExportingClasses

#: What a fit has found that a file keeps in its document.
FOUND = ("n_components_", "covariance_type_", "shrinkage_", "converged_", "n_iter_")


class KeepingClasses(ExportingClasses):
    """The methods of a classifier that keep it in a file."""

    get_params: Any
    _validate_params: Any

    def save(self, path: str | os.PathLike[str], *, info: Mapping[str, Any] | None = None) -> None:
        """Write the fitted classifier to a file, atomically: a write that fails leaves what was there before.

        It holds all that `predict` and its like need, but not `trials_`; and the parameters, without those
        that are objects, such as a splitter.

        Parameters
        ----------
        path : str or path
            A safetensors file, in which nothing can be executed; docs/format.md describes it.
        info : mapping, optional
            Anything JSON can hold that should travel with it.

        Raises
        ------
        TypeError, ValueError
            If JSON cannot hold the info, or classes are neither text nor numbers.
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> from sklearn.datasets import load_iris
        >>> from gaussmix import GaussianMixtureClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> model = GaussianMixtureClassifier(1, covariance_type="tied", shrinkage=0.0).fit(X, y)
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "iris.safetensors"
        >>> model.save(path)
        >>> again = GaussianMixtureClassifier.load(path)
        >>> bool((again.predict(X) == model.predict(X)).all())
        True
        """
        check_is_fitted(self)
        own = vars(self)
        classes = own["classes_"].tolist()
        if not all(isinstance(name, str | int | float | bool) for name in classes):
            raise ValueError("a file keeps classes that are text or numbers; these are other objects")
        state = ClassifierState(
            classed=own["_classed"],
            classes=tuple(classes),
            calibration=own["calibration_"],
            density_threshold=float(own["density_threshold_"]),
            fitted={name: _make_plain(own[name]) for name in FOUND},
            parameters=_describe_parameters(self.get_params(deep=False)),
            info=info or {},
        )
        write_classifier(path, state)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a classifier that :meth:`save` wrote. The file is not trusted, and nothing in it is executed.

        Raises
        ------
        ModelFileError
            If the file is damaged, truncated, or no classifier; the message names the file and the cause.
        OSError
            If the file cannot be opened.
        """
        state = read_classifier(path)
        try:
            model = cls(**state.parameters)
            model._validate_params()
        except (TypeError, ValueError) as error:
            raise ModelFileError(f"{path}: not a valid classifier: {error}") from None
        if state.fitted.keys() != set(FOUND):
            raise ModelFileError(f"{path}: not a valid classifier: fitted must have {', '.join(FOUND)}")
        model._take(state)
        return model

    def _take(self, state: ClassifierState) -> None:
        """Be fitted, in that state."""
        classed = state.classed
        found = {name: tuple(v) if isinstance(v, list) else v for name, v in state.fitted.items()}
        classes = np.array(state.classes)
        vars(self).update(
            found,
            classes_=classes,
            _classed=classed,
            mixture_=classed.mixture,
            class_prior_=classed.class_prior,
            class_shares_=classed.shares,
            class_of_component_=classes[classed.classes_of_components],
            calibration_=state.calibration,
            density_threshold_=state.density_threshold,
            trials_=(),
            n_features_in_=classed.mixture.n_features,
        )
        if classed.mixture.feature_names is not None:
            vars(self)["feature_names_in_"] = np.array(classed.mixture.feature_names, dtype=object)


def _describe_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that JSON can hold."""
    plain = {name: _make_plain(value) for name, value in parameters.items()}
    return {name: value for name, value in plain.items() if _is_plain(value)}


def _make_plain(value: Any) -> Any:
    """A number, a text, or a list of them, as JSON has them; else the same object."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_make_plain(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else value


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    return value is None or isinstance(value, str | int | float)
