"""The starts by name. The names are scikit-learn's, where it has the start."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from numpy.random import RandomState

from gaussmix._typing import Float64Array
from gaussmix.engines import Engine
from gaussmix.fit.starts.agglomerative import agglomerative
from gaussmix.fit.starts.annealing import annealing
from gaussmix.fit.starts.kmeans import kmeans
from gaussmix.fit.starts.kmeans_plusplus import kmeans_plusplus
from gaussmix.fit.starts.pca import pca
from gaussmix.fit.starts.random_responsibilities import random
from gaussmix.fit.starts.random_rows import random_from_data
from gaussmix.model.moments.statistics import Moments

#: A start gives moments of k components to make a mixture of and, where it has chosen them itself, the means.
#: The last number says which start of the fit it is: no need to begin the same rows alike twice.
Start: TypeAlias = Callable[[Engine, int, RandomState, int], tuple[Moments, Float64Array | None]]

STARTS: dict[str, Start] = {
    "kmeans": kmeans,
    "k-means++": kmeans_plusplus,
    "random": random,
    "random_from_data": random_from_data,
    "agglomerative": agglomerative,
    "pca": pca,
    "annealing": annealing,
}

#: The names that scikit-learn has.
SCIKIT_LEARN = ("kmeans", "k-means++", "random", "random_from_data")
#: Races of them (`fit/race/race.py`), by how hard they look; where there can be none, the first in the table.
EFFORTS = ("fast", "auto", "thorough")
#: The names that a start may have.
NAMES = (*EFFORTS, *STARTS)
