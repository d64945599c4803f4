"""A fitted detector in a file, and one that is made of what is known already."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from gaussmix.apps.anomaly.calibration import CrossCalibration, SplitCalibration
from gaussmix.apps.anomaly.detector_file import DetectorState, read_detector, write_detector
from gaussmix.errors import ModelFileError

#: Calibrations that a file names with their parameters.
CALIBRATIONS: dict[str, Any] = {"split": SplitCalibration, "cross": CrossCalibration}


class Keeping:
    """The methods of a detector that keep it in a file."""

    get_params: Any
    _validate_params: Any

    def save(self, path: str | os.PathLike[str], *, info: Mapping[str, Any] | None = None) -> None:
        """Write the fitted detector to a file, atomically: a write that fails leaves what was there before.

        It holds the mixture, the columns' scales, the threshold, the calibration and the normal rows that
        :meth:`explain` looks for neighbours among (5,000 rows of the fit at most). It does not hold the
        scores of the rows of the fit.

        Parameters
        ----------
        path : str or path
            A safetensors file, in which nothing can be executed; docs/format.md describes it.
        info : mapping, optional
            Anything JSON can hold that should travel with it.

        Raises
        ------
        TypeError, ValueError
            If JSON cannot hold the info.
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> from gaussmix import GaussianMixtureDetector
        >>> X = np.random.default_rng(0).normal(size=(300, 2))
        >>> detector = GaussianMixtureDetector(1, random_state=0).fit(X)
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "detector.safetensors"
        >>> detector.save(path)
        >>> again = GaussianMixtureDetector.load(path)
        >>> bool((again.predict(X) == detector.predict(X)).all())
        True
        """
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", None)
        state = DetectorState(
            model=self.model_,
            calibration=self.calibration_,
            offset=self.offset_,
            normal=self.normal_rows_,
            feature_names=None if names is None else tuple(map(str, names)),
            parameters=_describe_parameters(self.get_params(deep=False)),
            info=info or {},
        )
        write_detector(path, state)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a detector that :meth:`save` wrote. The file is not trusted, and nothing in it is executed.

        Raises
        ------
        ModelFileError
            If the file is damaged, truncated, or no detector; the message names the file and the cause.
        OSError
            If the file cannot be opened.
        """
        state = read_detector(path)
        try:
            detector = cls(**_read_parameters(state.parameters))
            detector._validate_params()
        except (TypeError, ValueError) as error:
            raise ModelFileError(f"{path}: not a valid detector: {error}") from None
        detector._take(state)
        return detector

    def _take(self, state: DetectorState) -> None:
        """Be fitted, in that state."""
        self.model_, self.calibration_ = state.model, state.calibration
        self.offset_, self.normal_rows_ = state.offset, state.normal
        mixture = state.model.mixture
        self.n_features_in_, self.n_components_ = mixture.n_features, mixture.n_components
        self.covariance_type_, self.trim_ = mixture.covariance_type, state.model.trim
        if state.feature_names is not None:
            self.feature_names_in_ = np.array(state.feature_names, dtype=object)


def _describe_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as JSON can hold them; a seed that is no number is left out."""
    described = {}
    for name, value in parameters.items():
        if isinstance(value, SplitCalibration | CrossCalibration):
            kind = "split" if isinstance(value, SplitCalibration) else "cross"
            value = {"kind": kind, **asdict(value)}
        elif isinstance(value, np.generic):
            value = value.item()
        described[name] = value if isinstance(value, str | int | float | dict) else None
    return described


def _read_parameters(described: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse; ValueError or TypeError where they make no sense."""
    parameters = dict(described)
    request = parameters.get("calibration")
    if isinstance(request, Mapping):
        options = dict(request)
        kind = options.pop("kind", None)
        if kind not in CALIBRATIONS:
            raise ValueError(f"calibration must be one of {', '.join(CALIBRATIONS)}; got {kind!r}")
        parameters["calibration"] = CALIBRATIONS[kind](**options)
    return parameters
