"""The detector that `gaussmix detect --model` names: a saved one, or one made of a mixture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import typer

from gaussmix._text import count_noun, list_first, show_name
from gaussmix.apps.anomaly.calibration import calibrate_model
from gaussmix.apps.anomaly.columns import Columns
from gaussmix.apps.anomaly.detector_file import DetectorState, read_detector
from gaussmix.apps.anomaly.normal_model import NormalModel
from gaussmix.apps.anomaly.normal_rows import NormalRows
from gaussmix.cli.display import print_facts
from gaussmix.cli.messages import print_message
from gaussmix.data.source import refuse_os_errors
from gaussmix.errors import InputError
from gaussmix.estimators.detector import GaussianMixtureDetector
from gaussmix.io import load_model
from gaussmix.model.mixture import Mixture, schema
from gaussmix.model.mixture.printing import default_names, heading

#: Columns that are named.
MOST_NAMES = 8
#: Rows that are drawn from a mixture to compare others with.
N_DRAWN = 20_000
#: The share of drawn rows below the threshold of a mixture, unless the command is told otherwise.
USUAL_FPR = 0.01


def load_detector(
    path: Path, options: Mapping[str, Any], seed: int
) -> tuple[GaussianMixtureDetector, Sequence[str]]:
    """The detector of a file, and the names of its columns.

    Raises InputError or ModelFileError where there is none, or where the threshold that is asked for cannot
    be found without a calibration.
    """
    if path.is_dir():
        raise InputError(f"{path}: is a directory; expected a model")
    if not path.exists():
        raise InputError(f"{path}: no such file")
    with refuse_os_errors(path, "read"):
        if schema.find_kind(path) == schema.DETECTOR:
            detector = GaussianMixtureDetector.load(path)
        else:
            detector = make_detector(load_model(path).mixture, seed)
            print_message(
                "note",
                f"{path}: a mixture; threshold and p-values suppose that normal rows are as drawn from it",
            )
    if options["fpr"] is not None:
        calibrated = detector.calibration_
        if calibrated is None:
            raise InputError(
                f"{path}: --fpr needs a detector with a calibration: one saved by 'gaussmix detect --train'"
            )
        try:
            detector.offset_ = calibrated.calibration.find_threshold(options["fpr"])
        except ValueError as error:
            raise InputError(f"{path}: {error}") from None
    names = getattr(detector, "feature_names_in_", None)
    d = detector.model_.mixture.n_features
    return detector, default_names(d) if names is None else [str(name) for name in names]


def make_detector(mixture: Mixture, seed: int) -> GaussianMixtureDetector:
    """A detector whose normal rows are as drawn from a mixture; rows of its noise are not normal."""
    d, names = mixture.n_features, mixture.feature_names
    mixture = mixture.without_noise().replace(feature_names=None)
    drawn, _ = mixture.sample(N_DRAWN, seed)
    model = NormalModel(Columns(np.zeros(d), np.ones(d)), mixture, 0.0, np.empty(0), np.empty(0))
    calibrated = calibrate_model(model, drawn)
    detector = GaussianMixtureDetector(novelty=True, fpr=USUAL_FPR, random_state=seed)
    detector._take(
        DetectorState(
            model=model,
            calibration=calibrated,
            offset=calibrated.calibration.find_threshold(USUAL_FPR),
            normal=NormalRows(np.empty((0, d)), np.empty(0, dtype=np.int64)),
            feature_names=names,
            parameters={},
            info={},
        )
    )
    return detector


def show_detector(path: Path) -> None:
    """Print what the detector of a file knows."""
    with refuse_os_errors(path, "read"):
        state = read_detector(path)
    mixture, calibration = state.model.mixture, state.calibration
    typer.echo(f"Detector of anomalies; normal rows, in scaled columns: {heading(mixture)}")
    names = state.feature_names or default_names(mixture.n_features)
    facts = {
        "columns": list_first(list(map(show_name, names)), MOST_NAMES),
        "threshold": f"{state.offset:.6g}; rows of a lower log-density are anomalies",
        "left out": f"{100.0 * state.model.trim:.3g} % of the rows of the fit" if state.model.trim else None,
        "calibration": None
        if calibration is None
        else f"{calibration.calibration.weight:,.10g} rows, {count_noun(len(calibration.models), 'model')}",
    }
    print_facts({name: fact for name, fact in facts.items() if fact} | dict(state.info))
