"""Make the prior of natural patches that ships: ``python -m benchmarks.patch_prior FOLDER FILE``.

FOLDER holds Debian's packages of :data:`PACKAGES`, unpacked (``dpkg-deb -x PACKAGE.deb FOLDER``). The prior
is written into FILE. It takes about ten minutes on two processors.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

import gaussmix

#: What the photographs come from, with the versions of Debian 12.
PACKAGES = (
    "gcompris-qt-data 3.1-2",
    "lomiri-wallpapers-16.04 20.04.0-2",
    "lomiri-wallpapers-20.04 20.04.0-2",
    "plasma-workspace-wallpapers 4:5.27.5-2",
)
ARCHIVES = Path("usr/share/gcompris-qt/rcc")
#: Photographs in archives of GCompris by their place among its larger pictures; others are painted.
IN_ARCHIVES = {
    "clickgame": (0, 1, 3, 5),
    "details": (0, 2, 4, 5, 8, 10, 12, 13, 15, 16, 18),
    "erase": range(33),
    "explore_farm_animals": range(9),
    "explore_monuments": (*range(34), *range(35, 49)),
    "explore_world_animals": range(15),
}
#: Pixels of the shorter side of a larger picture.
LARGE = 300
WALLPAPERS = (
    "backgrounds/Dragonfly_by_Bolly.jpg",
    "backgrounds/Picture_0B_by_freespace.jpg",
    "backgrounds/Picture_1A_by_freespace.jpg",
    "backgrounds/Wine_by_Jakkub_Mede.jpg",
    "backgrounds/aitzgorri_by_Aitzol_Berasategi.jpg",
    "backgrounds/free_by_Peter_Nerlich.jpg",
    "backgrounds/friends_by_Aitzol_Berasategi.jpg",
    "backgrounds/greentock_by_Peter_Nerlich.jpg",
    "backgrounds/life_by_Aitzol_Berasategi.jpg",
    "backgrounds/picosdeeuropa_by_Aitzol_Berasategi.jpg",
    "backgrounds/seeding_by_Clements_Engelhardt.jpg",
    "backgrounds/sunset_by_Aitzol_Berasategi.jpg",
    "backgrounds/Kleiber_by_Lukas_Baubkus.jpg",
    "wallpapers/BytheWater/contents/images/2560x1600.jpg",
    "wallpapers/ColdRipple/contents/images/2560x1600.jpg",
    "wallpapers/ColorfulCups/contents/images/2560x1600.jpg",
    "wallpapers/EveningGlow/contents/images/2560x1600.jpg",
    "wallpapers/FallenLeaf/contents/images/2560x1600.jpg",
    "wallpapers/OneStandsOut/contents/images/2560x1600.jpg",
    "wallpapers/Path/contents/images/2560x1600.jpg",
)
#: About the pixels of the longer side of a picture that is made smaller, and of one of more than 1,100.
LONGER_SIDES = 512, 640
#: Every ninth photograph is kept for choices, such as the schedule of the splitting.
HELD_OUT = slice(4, None, 9)
N_PATCHES, MAX_ITER, SEED = 400_000, 32, 0


def read_photographs(folder: Path) -> dict[str, npt.NDArray[np.uint8]]:
    """All photographs by name: grey and smaller, which takes noise and traces of compression out."""
    found = {}
    for archive, places in IN_ARCHIVES.items():
        pictures = list(unpack_pictures((folder / ARCHIVES / f"{archive}.rcc").read_bytes()))
        found |= {f"{archive} {place}": pictures[place] for place in places}
    for name in WALLPAPERS:
        with Image.open(folder / "usr/share" / name) as picture:
            found[name] = picture.convert("RGB")
    return {name: shrink(picture) for name, picture in found.items()}


def unpack_pictures(archive: bytes) -> Iterator[Image.Image]:
    """The larger pictures in an archive of Qt, which holds files as they are, each after its length."""
    place = archive.find(b"RIFF")
    while place >= 0:
        if archive[place + 8 : place + 12] == b"WEBP":
            length = int.from_bytes(archive[place - 4 : place], "big")
            picture = Image.open(io.BytesIO(archive[place : place + length]))
            if min(picture.size) >= LARGE:
                yield picture.convert("RGB")
        place = archive.find(b"RIFF", place + 1)


def shrink(picture: Image.Image) -> npt.NDArray[np.uint8]:
    longer = max(picture.size)
    factor = max(2, round(longer / LONGER_SIDES[longer > 1100]))
    return np.asarray(picture.convert("L").reduce(factor))


def print_progress(progress: gaussmix.Progress) -> None:
    print(progress, flush=True)


def main() -> None:
    folder, file = (Path(argument) for argument in sys.argv[1:])
    photographs = read_photographs(folder)
    held_out = sorted(photographs)[HELD_OUT]
    images = [image for name, image in sorted(photographs.items()) if name not in held_out]
    print(
        f"{len(images)} photographs, {sum(image.size for image in images):,} pixels; {len(held_out)} held out"
    )
    prior = gaussmix.PatchPrior.learn(
        images, n_patches=N_PATCHES, max_iter=MAX_ITER, random_state=SEED, on_progress=print_progress
    )
    prior.save(
        file,
        info={"packages": list(PACKAGES), "n_patches": N_PATCHES, "max_iter": MAX_ITER, "random_state": SEED},
    )


if __name__ == "__main__":
    main()
