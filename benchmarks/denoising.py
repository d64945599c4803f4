"""Denoising beside scikit-image's: ``python -m benchmarks.denoising [--size N] [--sigma S,...] [FOLDER]``.

Peak signal-to-noise ratios (dB) of twelve natural images, none of which the prior was learnt from: seven of
scikit-image and scikit-learn, and five photographs of Debian's package mate-backgrounds, which FOLDER holds.
Images are grey and cut to N x N pixels (320) about their centres, the noise is that of seed 0, and every
method is told sigma. The parameters of the others are those of a grid that do best on the mean of these very
images.
``--time`` has the seconds of an image of 512 x 512 pixels, with one thread and with two.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image
from skimage import data, restoration
from sklearn.datasets import load_sample_image

import gaussmix

Picture: TypeAlias = npt.NDArray[np.float64]
Method: TypeAlias = Callable[[Picture, float], Picture]

FOLDER = Path("/usr/share/backgrounds/mate")
#: Photographs of mate-backgrounds, and by how much they are made smaller.
PHOTOGRAPHS = {
    "nature/Dune.jpg": 3,
    "nature/GreenMeadow.jpg": 2,
    "nature/LadyBird.jpg": 4,
    "nature/Storm.jpg": 3,
    "nature/YellowFlower.jpg": 4,
}
SIGMAS = (15, 25, 50)
OURS = "gaussmix"


def list_images(folder: Path, size: int) -> dict[str, Picture]:
    pictures = {
        name: getattr(data, name)() for name in ("camera", "astronaut", "chelsea", "coffee", "rocket")
    }
    pictures |= {name: load_sample_image(f"{name}.jpg") for name in ("china", "flower")}
    images = {name: Image.fromarray(np.asarray(picture)) for name, picture in pictures.items()}
    for name, factor in PHOTOGRAPHS.items():
        images[Path(name).stem] = Image.open(folder / name).convert("RGB").reduce(factor)
    return {name: cut(np.asarray(image.convert("L")) / 255.0, size) for name, image in images.items()}


def cut(image: Picture, size: int) -> Picture:
    top, left = (max(0, (length - size) // 2) for length in image.shape)
    return image[top : top + size, left : left + size]


def non_local_means(noisy: Picture, sigma: float, *, h: float, **options: int | bool) -> Picture:
    # scikit-image's h is in units of the noise that `sigma` subtracts from distances of patches
    return restoration.denoise_nl_means(noisy, h=h * sigma, sigma=sigma, **options)


def total_variation(noisy: Picture, sigma: float, *, weight: float) -> Picture:
    return restoration.denoise_tv_chambolle(noisy, weight=weight * sigma, max_num_iter=400, eps=1e-5)


def wavelets(noisy: Picture, sigma: float, *, shifts: int, **options: str) -> Picture:
    denoise = partial(restoration.denoise_wavelet, sigma=sigma, rescale_sigma=False, **options)
    if not shifts:
        return denoise(noisy)
    return restoration.cycle_spin(noisy, denoise, max_shifts=shifts, num_workers=1)


def list_peers() -> Iterator[tuple[str, list[Method]]]:
    """Each method of scikit-image with all its settings."""
    patches = ((5, 6), (7, 11))
    for fast in (True, False):
        strengths = (0.6, 0.7, 0.8, 0.9, 1.0) if fast else (0.5, 0.6, 0.7, 0.8)
        yield (
            f"nl_means, fast_mode={fast}",
            [
                partial(non_local_means, h=h, fast_mode=fast, patch_size=size, patch_distance=distance)
                for h in strengths
                for size, distance in patches
            ],
        )
    yield "tv_chambolle", [partial(total_variation, weight=w) for w in (0.6, 0.8, 1.0, 1.2, 1.4, 1.7)]
    yield (
        "wavelet",
        [
            partial(wavelets, shifts=shifts, method=method, mode=mode, wavelet=wavelet)
            for shifts in (0, 3)
            for method, mode in (("BayesShrink", "soft"), ("VisuShrink", "hard"))
            for wavelet in ("db1", "db2", "sym4")
        ],
    )


@dataclass(frozen=True)
class Trial:
    """The ratios of a method with one of its settings, one an image."""

    ratios: npt.NDArray[np.float64]
    settings: str


def try_method(method: Method, pairs: list[tuple[Picture, Picture]], sigma: float) -> Trial:
    ratios = [measure_ratio(method(noisy, sigma), clean) for clean, noisy in pairs]
    words = getattr(method, "keywords", {})
    return Trial(np.array(ratios), ", ".join(f"{name}={value}" for name, value in words.items()))


def measure_ratio(image: Picture, clean: Picture) -> float:
    """The peak signal-to-noise ratio in dB; values beyond black and white are cut off for all."""
    return float(-10.0 * np.log10(np.mean((np.clip(image, 0.0, 1.0) - clean) ** 2)))


def print_table(images: dict[str, Picture], grey_levels: int) -> None:
    sigma = grey_levels / 255.0
    rng = np.random.default_rng(0)
    pairs = [(image, image + rng.normal(0.0, sigma, image.shape)) for image in images.values()]
    best = {OURS: try_method(gaussmix.denoise, pairs, sigma)}
    for name, methods in list_peers():
        best[name] = max(
            (try_method(method, pairs, sigma) for method in methods), key=lambda t: t.ratios.mean()
        )
    print(f"\nsigma = {grey_levels}")
    for name, trial in best.items():
        print(f"  {name}: {trial.settings or 'as it comes'}")
    print("\n| image | noisy | " + " | ".join(best) + " |\n|---|" + "---:|" * (len(best) + 1))
    noisy = np.array([measure_ratio(noisy, clean) for clean, noisy in pairs])
    columns = np.column_stack([noisy, *(trial.ratios for trial in best.values())])
    for name, row in zip([*images, "mean"], [*columns, columns.mean(axis=0)], strict=True):
        print(f"| {name} | " + " | ".join(f"{ratio:.2f}" for ratio in row) + " |", flush=True)


def print_times() -> None:
    noisy = data.camera() / 255.0 + np.random.default_rng(0).normal(0.0, 25 / 255, (512, 512))
    gaussmix.denoise(noisy[:64, :64], 25 / 255)
    for threads in ("1", "2"):
        os.environ["GAUSSMIX_NUM_THREADS"] = threads
        wall, processor = time.perf_counter(), time.process_time()
        gaussmix.denoise(noisy, 25 / 255)
        print(
            f"512 x 512 pixels, {threads} thread(s): {time.perf_counter() - wall:.1f} s by the clock, "
            f"{time.process_time() - processor:.1f} s of processors",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--sigma", default=",".join(map(str, SIGMAS)))
    parser.add_argument("--time", action="store_true")
    arguments = parser.parse_args()
    if arguments.time:
        print_times()
        return
    images = list_images(arguments.folder, arguments.size)
    for grey_levels in arguments.sigma.split(","):
        print_table(images, int(grey_levels))


if __name__ == "__main__":
    main()
