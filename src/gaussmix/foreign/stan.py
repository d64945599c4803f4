"""Mixtures as priors in Stan programs: text to paste, and its data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from gaussmix.foreign.components import Components

#: Words of the language, which no parameter can have as its name.
WORDS = """
for in while repeat until if then else true false target struct typedef export auto extern var static
functions data transformed parameters model generated quantities int real array vector row_vector matrix
complex complex_vector complex_row_vector complex_matrix simplex unit_vector ordered
positive_ordered sum_to_zero_vector cholesky_factor_corr cholesky_factor_cov corr_matrix cov_matrix lower
upper offset multiplier print reject profile fatal_error break continue return void tuple jacobian
"""
RESERVED = frozenset(WORDS.split())

VECTORS = """\
  real gaussian_mixture_lpdf(vector x, vector log_weights, array[] vector means, array[] matrix roots) {
    vector[size(means)] terms;
    for (k in 1:size(means)) {
      terms[k] = log_weights[k] + multi_normal_cholesky_lpdf(x | means[k], roots[k]);
    }
    return log_sum_exp(terms);
  }
  vector gaussian_mixture_rng(vector log_weights, array[] vector means, array[] matrix roots) {
    int k = categorical_logit_rng(log_weights);
    return multi_normal_cholesky_rng(means[k], roots[k]);
  }"""

INDEPENDENT = """\
  real diagonal_gaussian_mixture_lpdf(
      vector x, vector log_weights, array[] vector means, array[] vector scales) {
    vector[size(means)] terms;
    for (k in 1:size(means)) {
      terms[k] = log_weights[k] + normal_lpdf(x | means[k], scales[k]);
    }
    return log_sum_exp(terms);
  }
  vector diagonal_gaussian_mixture_rng(vector log_weights, array[] vector means, array[] vector scales) {
    int k = categorical_logit_rng(log_weights);
    return to_vector(normal_rng(means[k], scales[k]));
  }"""

NUMBERS = """\
  real scalar_gaussian_mixture_lpdf(real x, vector log_weights, vector means, vector scales) {
    vector[num_elements(means)] terms;
    for (k in 1:num_elements(means)) {
      terms[k] = log_weights[k] + normal_lpdf(x | means[k], scales[k]);
    }
    return log_sum_exp(terms);
  }
  real scalar_gaussian_mixture_rng(vector log_weights, vector means, vector scales) {
    int k = categorical_logit_rng(log_weights);
    return normal_rng(means[k], scales[k]);
  }"""


@dataclass(frozen=True)
class StanPrior:
    """A mixture as the prior of a parameter of a Stan program: what goes into its blocks, and into its data.

    Made by :meth:`gaussmix.Mixture.to_stan`. Each text is a piece of the block of its name: paste it
    there, and add ``data`` to the program's own. Priors of several parameters go together where their
    names differ. Functions depend on the kind of mixture alone, and each text of them is pasted once.

    Attributes
    ----------
    functions : str
        The log-density ``log sum_k w_k N(x | mu_k, Sigma_k)`` by ``log_sum_exp``, and its draws (``_rng``).
    data_block : str
        Declarations of the data.
    parameters : str
        The declaration of the parameter: a ``vector``, or a ``real`` of a mixture of one feature.
    model : str
        The statement that gives the parameter its distribution.
    data : dict
        Numbers and nested lists, as JSON has them: what PyStan and CmdStanPy take.

    References
    ----------
    Stan User's Guide, section "Finite Mixtures".

    Examples
    --------
    >>> import gaussmix
    >>> mixture = gaussmix.Mixture([0.5, 0.5], [[-1.0], [1.0]], [1.0, 1.0], "spherical")
    >>> prior = mixture.to_stan("effect")
    >>> print(prior.parameters)
      real effect;
    >>> print(prior.model)
      effect ~ scalar_gaussian_mixture(effect_log_weights, effect_means, effect_scales);
    >>> prior.data["effect_means"]
    [-1.0, 1.0]
    """

    functions: str
    data_block: str
    parameters: str
    model: str
    data: dict[str, Any]

    @property
    def program(self) -> str:
        """A whole program of the prior alone, to begin with or to draw from."""
        blocks = ("functions", "data", "parameters", "model")
        texts = (self.functions, self.data_block, self.parameters, self.model)
        return "".join(f"{block} {{\n{text}\n}}\n" for block, text in zip(blocks, texts, strict=True))


def make_prior(components: Components, name: str) -> StanPrior:
    """The texts and the data for a parameter of this name; ValueError where Stan cannot have the name."""
    check_name(name)
    k, d = components.means.shape
    sizes = {f"{name}_n_components": k}
    declared = [f"int<lower=1> {name}_n_components;"]
    if d > 1:
        sizes[f"{name}_n_features"] = d
        declared.append(f"int<lower=1> {name}_n_features;")
    K, D = f"{name}_n_components", f"{name}_n_features"
    declared.append(f"vector[{K}] {name}_log_weights;")
    if d == 1:
        functions, distribution, spread = NUMBERS, "scalar_gaussian_mixture", "scales"
        means, spreads = components.means[:, 0], components.scales[:, 0]
        declared += [f"vector[{K}] {name}_means;", f"vector<lower=0>[{K}] {name}_scales;"]
    elif components.is_diagonal:
        functions, distribution, spread = INDEPENDENT, "diagonal_gaussian_mixture", "scales"
        means, spreads = components.means, components.scales
        declared += [
            f"array[{K}] vector[{D}] {name}_means;",
            f"array[{K}] vector<lower=0>[{D}] {name}_scales;",
        ]
    else:
        functions, distribution, spread = VECTORS, "gaussian_mixture", "roots"
        means, spreads = components.means, components.roots
        declared += [f"array[{K}] vector[{D}] {name}_means;", f"array[{K}] matrix[{D}, {D}] {name}_roots;"]
    return StanPrior(
        functions=functions,
        data_block="\n".join(f"  {line}" for line in declared),
        parameters=f"  real {name};" if d == 1 else f"  vector[{D}] {name};",
        model=f"  {name} ~ {distribution}({name}_log_weights, {name}_means, {name}_{spread});",
        data={
            **sizes,
            f"{name}_log_weights": components.log_weights.tolist(),
            f"{name}_means": means.tolist(),
            f"{name}_{spread}": spreads.tolist(),
        },
    )


def check_name(name: Any) -> None:
    """Raise ValueError where a parameter of a Stan program cannot have the name."""
    fits = isinstance(name, str) and re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name) is not None
    if not fits or name.endswith("__") or name in RESERVED:
        raise ValueError(
            "a name in Stan has letters, digits and underscores, begins with a letter, does not end with two "
            f"underscores, and is no word of the language; got {name!r}"
        )
