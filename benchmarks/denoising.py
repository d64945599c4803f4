"""Denoising beside scikit-image's: ``python -m benchmarks.denoising [--size N] [--sigma S,...] [FOLDER]``.

Peak signal-to-noise ratios (dB) of twelve natural images, none of which the prior was learnt from: seven of
scikit-image and scikit-learn, and five photographs of Debian's package mate-backgrounds, which FOLDER holds.
Images are grey and cut to N x N pixels (256) about their centres, the noise is that of seed 0, and every
method is told sigma. The settings of the others are those of a grid that do best on these very images at
sigma = 25.
``--time`` has the seconds of an image of 512 x 512 pixels, with one thread and with two.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterable, Iterator
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
#: The sigma at which settings are chosen; they are in units of sigma, or have none.
CHOSEN_AT = 25
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
    return restoration.denoise_tv_chambolle(noisy, weight=weight * sigma, max_num_iter=200, eps=1e-4)


def wavelets(noisy: Picture, sigma: float, *, shifts: int, **options: str) -> Picture:
    denoise = partial(restoration.denoise_wavelet, sigma=sigma, rescale_sigma=False, **options)
    if not shifts:
        return denoise(noisy)
    return restoration.cycle_spin(noisy, denoise, max_shifts=shifts, workers=1)


def list_peers() -> Iterator[tuple[str, list[Method]]]:
    """Each method of scikit-image with all its settings."""
    patches = ((5, 6), (7, 11))
    for fast in (True, False):
        yield (
            f"nl_means, fast_mode={fast}",
            [
                partial(non_local_means, h=h, fast_mode=fast, patch_size=size, patch_distance=distance)
                for h in (0.6, 0.7, 0.8)
                for size, distance in patches
            ],
        )
    yield "tv_chambolle", [partial(total_variation, weight=w) for w in (0.6, 0.8, 1.0, 1.2, 1.5)]
    yield (
        "wavelet",
        [
            partial(wavelets, shifts=shifts, method=method, mode=mode, wavelet=wavelet)
            for shifts in (0, 3)
            for method, mode in (("BayesShrink", "soft"), ("VisuShrink", "hard"))
            for wavelet in ("db1", "db2", "sym4")
        ],
    )


def try_method(method: Method, pairs: Iterable[tuple[Picture, Picture]], sigma: float) -> list[float]:
    return [measure_ratio(method(noisy, sigma), clean) for clean, noisy in pairs]


def measure_ratio(image: Picture, clean: Picture) -> float:
    """The peak signal-to-noise ratio in dB; values beyond black and white are cut off for all."""
    return float(-10.0 * np.log10(np.mean((np.clip(image, 0.0, 1.0) - clean) ** 2)))


def add_noise(images: Iterable[Picture], sigma: float) -> list[tuple[Picture, Picture]]:
    """Pairs of clean and noisy images."""
    rng = np.random.default_rng(0)
    return [(image, image + rng.normal(0.0, sigma, image.shape)) for image in images]


def choose_settings(images: dict[str, Picture]) -> dict[str, Method]:
    """Ours as it comes, and each of the others with the settings that do best on these images."""
    sigma = CHOSEN_AT / 255.0
    pairs = add_noise(images.values(), sigma)
    chosen: dict[str, Method] = {OURS: gaussmix.denoise}
    for name, methods in list_peers():
        chosen[name] = max(methods, key=lambda method: float(np.mean(try_method(method, pairs, sigma))))
        words = getattr(chosen[name], "keywords", {})
        print(f"{name}: " + ", ".join(f"{key}={value}" for key, value in words.items()), flush=True)
    return chosen


def print_table(images: dict[str, Picture], methods: dict[str, Method], grey_levels: int) -> None:
    sigma = grey_levels / 255.0
    pairs = add_noise(images.values(), sigma)
    print(f"\nsigma = {grey_levels}\n\n| image | noisy | " + " | ".join(methods) + " |")
    print("|---|" + "---:|" * (len(methods) + 1))
    columns = [[measure_ratio(noisy, clean) for clean, noisy in pairs]]
    columns += [try_method(method, pairs, sigma) for method in methods.values()]
    table = np.column_stack(columns)
    for name, row in zip([*images, "mean"], [*table, table.mean(axis=0)], strict=True):
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
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--sigma", default=",".join(map(str, SIGMAS)))
    parser.add_argument("--time", action="store_true")
    arguments = parser.parse_args()
    if arguments.time:
        print_times()
        return
    images = list_images(arguments.folder, arguments.size)
    methods = choose_settings(images)
    for grey_levels in arguments.sigma.split(","):
        print_table(images, methods, int(grey_levels))


if __name__ == "__main__":
    main()
