"""Factor analysers of 70 000 pictures: time, memory, held-out likelihood, and pictures drawn from them.

The data are Fashion-MNIST (Xiao, Rasul and Vollgraf, arXiv:1708.07747) in its four original files; on Debian,
the package dataset-fashion-mnist has them.

    python examples/fashion_factors.py FOLDER --time-only
    python examples/fashion_factors.py FOLDER --picture fashion.png
"""

from __future__ import annotations

import argparse
import gzip
import resource
import sys
import time
from pathlib import Path

import numpy as np

from gaussmix import fit_mixture

SIDE = 28
#: The ridge: pixels that never change would otherwise decide the likelihood, by the floor under variances.
RIDGE = 1e-3


def read(folder, name):
    """The pictures of one file as rows of numbers from 0 to 1."""
    with gzip.open(folder / f"{name}-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16)
    return pixels.reshape(-1, SIDE * SIDE) / 255.0


def peak():
    """The most memory that this process has had, in GiB."""
    unit = 2**30 if sys.platform == "darwin" else 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def timed(X, k, q, n_iter):
    """Fit to all pictures: seconds for the start, for an iteration, and in all."""
    begun = time.perf_counter()
    times = []

    def note(progress):
        if progress.iteration:
            times.append(time.perf_counter())
        return False

    options = {"covariance_type": "factor", "n_factors": q, "reg_covar": RIDGE, "random_state": 0, "tol": 0.0}
    result = fit_mixture(X, k, max_iter=n_iter, on_progress=note, **options)
    each = float(np.median(np.diff(times)))
    print(f"{len(X)} x {X.shape[1]}, k = {k}, q = {q}: {n_iter} iterations in {times[-1] - begun:.1f} s")
    print(f"  {each:.2f} s an iteration, {times[0] - begun - each:.1f} s for the start")
    print(f"  peak memory {peak():.2f} GiB; log-likelihood {result.mean_log_likelihood:.1f} nats a picture")


def held_out(train, test, k, n_iter):
    """The mean log-density of pictures that the fit has not seen, for several families."""
    fits = {}
    models = [("diag", 0), ("ppca", 10), ("factor", 2), ("factor", 10), ("factor", 20)]
    for name, q in models:
        begun = time.perf_counter()
        options = {"covariance_type": name, "reg_covar": RIDGE, "random_state": 0, "max_iter": n_iter}
        result = fit_mixture(train, k, n_factors=q or None, **options)
        fits[name, q] = result.mixture
        seen, unseen = result.mean_log_likelihood, result.mixture.log_prob(test).mean()
        print(
            f"  {name:6} q = {q:2}: {result.mixture.n_parameters:7} parameters, train {seen:8.1f}, "
            f"held out {unseen:8.1f} nats a picture; {result.n_iter} iterations, "
            f"{time.perf_counter() - begun:.0f} s"
        )
    return fits


def grid(rows, columns):
    """Pictures side by side as one picture."""
    tiles = np.clip(rows, 0.0, 1.0).reshape(-1, columns, SIDE, SIDE)
    return tiles.transpose(0, 2, 1, 3).reshape(-1, columns * SIDE)


def draw(mixtures, real, path, rng, columns=8):
    """Real pictures beside those drawn from each mixture; a row of the latter is of one component."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    from PIL import Image

    panels = {"data": grid(real[rng.choice(len(real), 10 * columns, replace=False)], columns)}
    for title, mixture in mixtures.items():
        X, labels = mixture.sample(4000, rng)
        order = np.argsort(-mixture.weights)[:10]
        panels[title] = grid(np.concatenate([X[labels == k][:columns] for k in order]), columns)
    figure, axes = plt.subplots(1, len(panels), figsize=(3.4 * len(panels), 4.6), layout="constrained")
    for axis, (title, picture) in zip(axes, panels.items(), strict=True):
        axis.imshow(picture, cmap="gray_r", vmin=0.0, vmax=1.0)
        axis.set_title(title)
        axis.set_axis_off()
    figure.savefig(path, dpi=120)
    with Image.open(path) as picture:  # a third of the size
        picture.convert("L").save(path, optimize=True)
    print(f"picture in {path}")


def main():
    """Run all of it, or a part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the files of Fashion-MNIST are")
    parser.add_argument("--picture", type=Path, help="draw samples here (.png)")
    parser.add_argument("--iterations", type=int, default=30, help="most iterations of the held-out fits")
    parser.add_argument("--time-only", action="store_true")
    options = parser.parse_args()
    if options.time_only:
        everything = np.concatenate([read(options.folder, name) for name in ("train", "t10k")])
        timed(everything, k=10, q=10, n_iter=20)
        return
    train, test = read(options.folder, "train"), read(options.folder, "t10k")
    print(f"{len(train)} pictures to learn from, {len(test)} held out, k = 10:")
    fits = held_out(train, test, k=10, n_iter=options.iterations)
    if options.picture is not None:
        shown = {"10 factors": fits["factor", 10], "diagonal": fits["diag", 0]}
        draw(shown, train, options.picture, np.random.default_rng(0))


if __name__ == "__main__":
    main()
