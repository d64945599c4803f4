"""Gaussian mixture models: fast, exact, complete.

The names below are loaded when first used, so that ``import gaussmix`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gaussmix._version import __version__

_HOMES = {
    "BICTable": "gaussmix.select.criterion_table",
    "Bootstrap": "gaussmix.infer.bootstrap",
    "Constraints": "gaussmix.model.constraints",
    "CriterionTable": "gaussmix.select.criterion_table",
    "CrossCalibration": "gaussmix.apps.anomaly.calibration",
    "Entropy": "gaussmix.model.mixture.density.entropy",
    "Estimate": "gaussmix.model.estimate",
    "ExpertErrors": "gaussmix.apps.experts.errors",
    "ExpertTrial": "gaussmix.apps.experts.choosing",
    "Explanation": "gaussmix.apps.anomaly.explanation",
    "FeatureSelection": "gaussmix.clusters.features",
    "FitResult": "gaussmix.fit.result",
    "FitStatus": "gaussmix.fit.result",
    "FittedMixtures": "gaussmix.select.many_models",
    "GaussianMixture": "gaussmix.estimators.gaussian",
    "GaussianMixtureClassifier": "gaussmix.estimators.classifier",
    "GaussianMixtureDetector": "gaussmix.estimators.detector",
    "GaussianMixtureRegressor": "gaussmix.estimators.regressor",
    "MixtureOfExpertsClassifier": "gaussmix.estimators.experts_classifier",
    "MixtureOfExpertsRegressor": "gaussmix.estimators.experts",
    "GaussianMixtureTransformer": "gaussmix.estimators.transformer",
    "GroupedBatch": "gaussmix.apps.regression.grouped",
    "KLBounds": "gaussmix.model.comparison.kullback",
    "LikelihoodRatioTest": "gaussmix.infer.likelihood_ratio",
    "LikelihoodRatioTests": "gaussmix.infer.likelihood_ratio",
    "Merging": "gaussmix.clusters.merging",
    "MessageLengthResult": "gaussmix.select.message_length",
    "Mixture": "gaussmix.model.mixture",
    "MixtureBatch": "gaussmix.model.mixture.algebra.batch",
    "MixtureTransport": "gaussmix.model.comparison.transport",
    "Modes": "gaussmix.model.mixture.density.modes",
    "Noise": "gaussmix.model.noise",
    "NormalInverseWishart": "gaussmix.model.priors",
    "ParameterErrors": "gaussmix.infer.errors",
    "PatchPrior": "gaussmix.apps.patches.prior",
    "Posterior": "gaussmix.model.mixture.algebra.update",
    "Progress": "gaussmix._progress",
    "ProgressPrinter": "gaussmix._progress",
    "Projection": "gaussmix.clusters.projection",
    "Reduction": "gaussmix.model.mixture.reduction.reduction",
    "Region": "gaussmix.model.mixture.density.regions",
    "RegressionTrial": "gaussmix.apps.regression.choosing",
    "Reliability": "gaussmix.apps.classes.calibration",
    "SearchResult": "gaussmix.select.search_result",
    "SelectionStep": "gaussmix.clusters.selector",
    "SplitCalibration": "gaussmix.apps.anomaly.calibration",
    "Stability": "gaussmix.infer.stability",
    "StanPrior": "gaussmix.foreign.stan",
    "StartReport": "gaussmix.fit.result",
    "Threshold": "gaussmix.model.mixture.thresholds",
    "Thresholds": "gaussmix.model.mixture.thresholds",
    "bhattacharyya_distance": "gaussmix.model.comparison.symmetric",
    "bootstrap": "gaussmix.infer.bootstrap",
    "bootstrap_lrt": "gaussmix.infer.likelihood_ratio",
    "cauchy_schwarz_divergence": "gaussmix.model.comparison.products",
    "crps": "gaussmix.apps.regression.scoring",
    "denoise": "gaussmix.apps.patches.denoising",
    "energy_score": "gaussmix.apps.regression.scoring",
    "estimate_errors": "gaussmix.infer.errors",
    "fit_message_length": "gaussmix.select.message_length",
    "fit_mixture": "gaussmix.fit.one_mixture",
    "fit_mixtures": "gaussmix.select.many_models",
    "hellinger_distance": "gaussmix.model.comparison.symmetric",
    "js_divergence": "gaussmix.model.comparison.symmetric",
    "kl_bounds": "gaussmix.model.comparison.kullback",
    "kl_divergence": "gaussmix.model.comparison.kullback",
    "l2_distance": "gaussmix.model.comparison.products",
    "measure_reliability": "gaussmix.apps.classes.calibration",
    "measure_stability": "gaussmix.infer.stability",
    "merge_components": "gaussmix.clusters.merging",
    "mixture_barycentre": "gaussmix.model.comparison.barycentre",
    "mixture_wasserstein": "gaussmix.model.comparison.transport",
    "project": "gaussmix.clusters.projection",
    "search": "gaussmix.select.search",
    "select_features": "gaussmix.clusters.features",
    "show_config": "gaussmix.config",
    "total_variation": "gaussmix.model.comparison.symmetric",
    "write_report": "gaussmix.report",
}

if TYPE_CHECKING:
    from gaussmix._progress import Progress, ProgressPrinter
    from gaussmix.apps.anomaly.calibration import CrossCalibration, SplitCalibration
    from gaussmix.apps.anomaly.explanation import Explanation
    from gaussmix.apps.classes.calibration import Reliability, measure_reliability
    from gaussmix.apps.experts.choosing import ExpertTrial
    from gaussmix.apps.experts.errors import ExpertErrors
    from gaussmix.apps.patches.denoising import denoise
    from gaussmix.apps.patches.prior import PatchPrior
    from gaussmix.apps.regression.choosing import RegressionTrial
    from gaussmix.apps.regression.grouped import GroupedBatch
    from gaussmix.apps.regression.scoring import crps, energy_score
    from gaussmix.clusters.features import FeatureSelection, select_features
    from gaussmix.clusters.merging import Merging, merge_components
    from gaussmix.clusters.projection import Projection, project
    from gaussmix.clusters.selector import SelectionStep
    from gaussmix.config import show_config
    from gaussmix.estimators.classifier import GaussianMixtureClassifier
    from gaussmix.estimators.detector import GaussianMixtureDetector
    from gaussmix.estimators.experts import MixtureOfExpertsRegressor
    from gaussmix.estimators.experts_classifier import MixtureOfExpertsClassifier
    from gaussmix.estimators.gaussian import GaussianMixture
    from gaussmix.estimators.regressor import GaussianMixtureRegressor
    from gaussmix.estimators.transformer import GaussianMixtureTransformer
    from gaussmix.fit.one_mixture import fit_mixture
    from gaussmix.fit.result import FitResult, FitStatus, StartReport
    from gaussmix.foreign.stan import StanPrior
    from gaussmix.infer.bootstrap import Bootstrap, bootstrap
    from gaussmix.infer.errors import ParameterErrors, estimate_errors
    from gaussmix.infer.likelihood_ratio import LikelihoodRatioTest, LikelihoodRatioTests, bootstrap_lrt
    from gaussmix.infer.stability import Stability, measure_stability
    from gaussmix.model.comparison.barycentre import mixture_barycentre
    from gaussmix.model.comparison.kullback import KLBounds, kl_bounds, kl_divergence
    from gaussmix.model.comparison.products import cauchy_schwarz_divergence, l2_distance
    from gaussmix.model.comparison.symmetric import (
        bhattacharyya_distance,
        hellinger_distance,
        js_divergence,
        total_variation,
    )
    from gaussmix.model.comparison.transport import MixtureTransport, mixture_wasserstein
    from gaussmix.model.constraints import Constraints
    from gaussmix.model.estimate import Estimate
    from gaussmix.model.mixture import Mixture
    from gaussmix.model.mixture.algebra.batch import MixtureBatch
    from gaussmix.model.mixture.algebra.update import Posterior
    from gaussmix.model.mixture.density.entropy import Entropy
    from gaussmix.model.mixture.density.modes import Modes
    from gaussmix.model.mixture.density.regions import Region
    from gaussmix.model.mixture.reduction.reduction import Reduction
    from gaussmix.model.mixture.thresholds import Threshold, Thresholds
    from gaussmix.model.noise import Noise
    from gaussmix.model.priors import NormalInverseWishart
    from gaussmix.report import write_report
    from gaussmix.select.criterion_table import BICTable, CriterionTable
    from gaussmix.select.many_models import FittedMixtures, fit_mixtures
    from gaussmix.select.message_length import MessageLengthResult, fit_message_length
    from gaussmix.select.search import search
    from gaussmix.select.search_result import SearchResult

__all__ = [
    "BICTable",
    "Bootstrap",
    "Constraints",
    "CriterionTable",
    "CrossCalibration",
    "Entropy",
    "Estimate",
    "ExpertErrors",
    "ExpertTrial",
    "Explanation",
    "FeatureSelection",
    "FitResult",
    "FitStatus",
    "FittedMixtures",
    "GaussianMixture",
    "GaussianMixtureClassifier",
    "GaussianMixtureDetector",
    "GaussianMixtureRegressor",
    "GaussianMixtureTransformer",
    "GroupedBatch",
    "KLBounds",
    "LikelihoodRatioTest",
    "LikelihoodRatioTests",
    "Merging",
    "MessageLengthResult",
    "Mixture",
    "MixtureBatch",
    "MixtureOfExpertsClassifier",
    "MixtureOfExpertsRegressor",
    "MixtureTransport",
    "Modes",
    "Noise",
    "NormalInverseWishart",
    "ParameterErrors",
    "PatchPrior",
    "Posterior",
    "Progress",
    "ProgressPrinter",
    "Projection",
    "Reduction",
    "Region",
    "RegressionTrial",
    "Reliability",
    "SearchResult",
    "SelectionStep",
    "SplitCalibration",
    "Stability",
    "StanPrior",
    "StartReport",
    "Threshold",
    "Thresholds",
    "__version__",
    "bhattacharyya_distance",
    "bootstrap",
    "bootstrap_lrt",
    "cauchy_schwarz_divergence",
    "crps",
    "denoise",
    "energy_score",
    "estimate_errors",
    "fit_message_length",
    "fit_mixture",
    "fit_mixtures",
    "hellinger_distance",
    "js_divergence",
    "kl_bounds",
    "kl_divergence",
    "l2_distance",
    "measure_reliability",
    "measure_stability",
    "merge_components",
    "mixture_barycentre",
    "mixture_wasserstein",
    "project",
    "search",
    "select_features",
    "show_config",
    "total_variation",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gaussmix' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
