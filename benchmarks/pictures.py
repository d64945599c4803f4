"""``python -m benchmarks.pictures FOLDER``: pictures of 50 to a million rows, to look at, and their times.

Rows are draws of a known mixture, so that every picture should show a good fit. A picture takes the time of
its rows (labels, histograms, rasters), which grows with their number, and that of drawing, which hardly does.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gaussmix import Mixture, Noise
from gaussmix.plot import save_plot

Floats = NDArray[np.floating]

#: Numbers of rows, features and components.
ROWS = (50, 20_000, 1_000_000)
FEATURES = (1, 2, 3, 8, 30)
COMPONENTS = (1, 3, 9)
#: Of thirty features these tell the components apart, and should be the ones that are shown.
TELLING = (3, 7, 12, 19, 22, 28)
#: The weight of the noise in pictures with noise.
NOISE = 0.05


def make_mixture(k: int, d: int, *, noise: bool) -> Mixture:
    """A mixture of overlapping components of different sizes."""
    rng = np.random.default_rng(100 * k + d)
    means = rng.normal(0.0, 2.2, (k, d))
    if d > len(TELLING) ** 2 / 2:
        means = rng.normal(0.0, 0.15, (k, d))
        means[:, TELLING] = rng.normal(0.0, 3.0, (k, len(TELLING)))
    roots = 0.4 * rng.normal(size=(k, d, d)) / np.sqrt(d) + np.eye(d) * rng.uniform(0.4, 1.2, (k, 1, 1))
    names = tuple(f"column {j + 1}" for j in range(d))
    weights = rng.dirichlet(np.full(k, 3.0))
    mixture = Mixture(weights, means, roots @ roots.transpose(0, 2, 1), feature_names=names)
    return mixture.with_noise(Noise.between([-9.0] * d, [9.0] * d, NOISE)) if noise else mixture


def make_special() -> dict[str, tuple[Mixture, Floats]]:
    """Cases that histograms and captions have to stand."""
    rng = np.random.default_rng(0)
    narrow = Mixture([0.6, 0.3, 0.1], [[0.0], [2.0], [1.0]], [[1.0], [0.25], [1e-3]], "diag")
    spike = Mixture([0.6, 0.3, 0.1], [[0.0], [2.0], [1.0]], [[1.0], [0.25], [1e-7]], "diag")
    skewed = Mixture(
        [0.4, 0.35, 0.2, 0.05], [[0.4], [1.3], [4.0], [14.0]], [[0.04], [0.3], [3], [90]], "diag"
    )
    counts = Mixture([1.0], [[4.0, 40.0]], [[4.0, 40.0]], "diag")
    return {
        "narrow": (narrow, narrow.sample(20_000, 0)[0]),
        "spike": (spike, spike.sample(20_000, 0)[0]),
        "skewed": (skewed, skewed.sample(20_000, 0)[0]),
        "counts": (counts, np.column_stack([rng.poisson(4.0, 100_000), rng.poisson(40.0, 100_000)]) * 1.0),
    }


def list_cases() -> Iterator[tuple[str, Mixture, Floats]]:
    """The name of each picture, its mixture and its rows."""
    for name, (mixture, X) in make_special().items():
        yield name, mixture, X
    for d, k, n, noise in itertools.product(FEATURES, COMPONENTS, ROWS, (False, True)):
        if noise and k != 3:
            continue
        mixture = make_mixture(k, d, noise=noise)
        name = f"{d}-features-{k}-components-{n}-rows{'-noise' if noise else ''}"
        yield name, mixture, mixture.sample(n, 1)[0]


def time_picture(mixture: Mixture, X: Floats, path: Path) -> tuple[float, float]:
    """Seconds that a picture takes, and that the same picture of its first fifty rows takes."""
    few = path.with_name("few.png")
    seconds = []
    for rows, where in ((X, path), (X[:50], few)):
        began = time.perf_counter()
        save_plot(mixture, rows, path=where)
        seconds.append(time.perf_counter() - began)
    few.unlink()
    return seconds[0], seconds[1]


def main() -> None:
    """Draw all pictures, and print their times."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pictures", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--only", default="", help="pictures whose names hold this text")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    save_plot(make_mixture(2, 2, noise=False), path=arguments.folder / "few.png")  # Matplotlib is imported
    print("| picture | seconds | of fifty rows |\n|---|---|---|")
    for name, mixture, X in list_cases():
        if arguments.only in name:
            whole, few = time_picture(mixture, X, arguments.folder / f"{name}.png")
            print(f"| {name} | {whole:.2f} | {few:.2f} |", flush=True)


if __name__ == "__main__":
    main()
