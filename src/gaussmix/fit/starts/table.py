"""The starts by name. The names are scikit-learn's, where it has the start."""

from __future__ import annotations

from gaussmix.fit.starts.agglomerative import agglomerative
from gaussmix.fit.starts.annealing import annealing
from gaussmix.fit.starts.base import Start
from gaussmix.fit.starts.kmeans import kmeans
from gaussmix.fit.starts.kmeans_plusplus import kmeans_plusplus
from gaussmix.fit.starts.pca import pca
from gaussmix.fit.starts.random_responsibilities import random
from gaussmix.fit.starts.random_rows import random_from_data

STARTS: dict[str, Start] = {
    "kmeans": kmeans,
    "k-means++": kmeans_plusplus,
    "random": random,
    "random_from_data": random_from_data,
    "agglomerative": agglomerative,
    "pca": pca,
    "annealing": annealing,
}

#: Those that scikit-learn has.
SCIKIT_LEARN = ("kmeans", "k-means++", "random", "random_from_data")
#: Races of them (`fit/race/race.py`), by how hard they look; where there can be none, the first in the table.
EFFORTS = ("fast", "auto", "thorough")
AUTO = "auto"
#: All that a start may be called.
NAMES = (*EFFORTS, *STARTS)
