"""Write model files with this version of gaussmix, to be kept: `python -m tests.compat.make_files`.

Run it in the root of the repository, once for each release that changes how files are written; keep the new
folder. Those that are there are never touched: that they still load is what they are for.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

import gaussmix
from gaussmix.model.covariance import STRUCTURES

HERE = Path(__file__).parent
NAMES = ("length", "Größe in mm", 'a "quoted", name')
INFO = {
    "source": "made up",
    "n_iter": 12,
    "log_likelihood": -1234.5678901234567,
    "nested": [{"a": None}, True],
}


#: Noise, too: known by its density or with its box.
NOISES = {
    "density": gaussmix.Noise(0.25, log_density=-7.5),
    "box": gaussmix.Noise.between([-3.0, -30.0, -300.0], [5.0, 20.0, 70.0], weight=0.25),
}


def mixture(covariance_type, k, names):
    """A mixture in three dimensions at several scales, from formulas: nothing here is random."""
    d = len(NAMES)
    j, i = np.arange(k)[:, None], np.arange(d)
    weights = np.arange(1.0, k + 1.0) / (k * (k + 1) / 2)
    means = np.sin(1.0 + 3.0 * j + i) * 10.0 ** (i - 1.0)
    deviations = (1.0 + 0.5 * j) * 10.0 ** (i - 2.0)
    correlation = 0.5 ** np.abs(i[:, None] - i)
    full = deviations[:, :, None] * correlation * deviations[:, None, :]
    structure = STRUCTURES[covariance_type]
    moments = {"vech": full, "squares": deviations**2, "radial": deviations[:, 0] ** 2}
    found = moments[structure.algebra.block.name]
    covariances = structure.unstack(structure.combine(found[-1:] if structure.shared else found, weights))
    return gaussmix.Mixture(weights, means, covariances, covariance_type, feature_names=names)


def make(folder):
    """Write the files of this version and what is in them; FileExistsError if the folder is there."""
    folder.mkdir()
    mixtures = {
        f"{covariance_type}-{k}-{'names' if names else 'plain'}": mixture(covariance_type, k, names)
        for covariance_type in STRUCTURES
        for k in (1, 3)
        for names in (None, NAMES)
    }
    for kind, noise in NOISES.items():
        mixtures[f"full-3-noise-{kind}"] = mixture("full", 3, None).with_noise(noise)
    entries = {}
    for name, one in mixtures.items():
        X = np.concatenate([one.means, one.mean + np.sqrt(one.variances), np.zeros((1, 3))])
        info = INFO if one.feature_names else {}
        one.save(folder / f"{name}.safetensors", info=info)
        entries[f"{name}.safetensors"] = {
            "covariance_type": one.covariance_type,
            "weights": one.weights.tolist(),
            "means": one.means.tolist(),
            "covariances": one.covariances.tolist(),
            "feature_names": one.feature_names,
            "noise": None if one.noise is None else {t: v.tolist() for t, v in one.noise.tensors.items()},
            "info": info,
            "X": X.tolist(),
            "log_prob": one.log_prob(X).tolist(),
        }
    lines = [f"{json.dumps(file)}: {json.dumps(entry)}" for file, entry in entries.items()]
    (folder / "numbers.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    try:
        make(HERE / gaussmix.__version__)
    except FileExistsError as error:
        sys.exit(f"{error.filename} is there already: the files of a version are made once and kept")
