"""A fitted classifier in words."""

from __future__ import annotations

from typing import Any

from gaussmix._text import count_noun


def describe_model(model: Any) -> str:
    """The model of the fit in a sentence."""
    numbers, families = model.n_components_, model.covariance_type_
    size = count_noun(numbers, "component") + " a class" if isinstance(numbers, int) else "components: "
    if not isinstance(numbers, int):
        size += ", ".join(map(str, numbers))
    family = families if isinstance(families, str) else ", ".join(families)
    shrunk = f", shrinkage {model.shrinkage_:g}" if model.shrinkage_ else ""
    by = {"cv": "chosen by log-loss of held-out rows", "bic": "chosen by BIC"}[model.criterion]
    chosen = f" ({by})" if len(model.trials_) > 1 else ""
    return f"Model: {size}, covariance {family}{shrunk}{chosen}."
