"""Priors of patches: learnt, kept in files, and the one that ships."""

from pathlib import Path

import numpy as np
import pytest

import gaussmix
from gaussmix import datasets
from gaussmix.apps.patches.learning import draw_patches, group_patches
from gaussmix.errors import ModelFileError


def draw_waves(n=3, size=50):
    """Images of waves from the left to the right; rows are alike."""
    rng = np.random.default_rng(0)
    x = np.arange(size)
    return [
        np.tile(0.5 + 0.4 * np.sin(x * frequency), (size, 1)) for frequency in rng.uniform(0.3, 1.0, size=n)
    ]


@pytest.fixture(scope="module")
def prior():
    return gaussmix.PatchPrior.learn(draw_waves(), 4, 4, n_patches=1500, max_iter=15, random_state=0)


def test_a_learnt_prior_knows_the_direction_of_waves(prior):
    spread = prior.mixture.total_variances
    spread = np.concatenate([[np.nan], spread]).reshape(4, 4)  # by vertical and horizontal frequency
    assert spread[0, 1:3].min() > 1e-2
    assert spread[1:].max() < 1e-4


def test_a_learnt_prior_is_better_than_the_natural_one_for_what_it_has_learnt(prior):
    clean = draw_waves(1, 40)[0][:, 7:]
    noisy = clean + np.random.default_rng(3).normal(0.0, 0.1, clean.shape)
    errors = [np.mean((gaussmix.denoise(noisy, 0.1, p) - clean) ** 2) for p in (prior, None)]
    assert errors[0] < errors[1]


def test_the_same_seed_gives_the_same_prior(prior):
    again = gaussmix.PatchPrior.learn(draw_waves(), 4, 4, n_patches=1500, max_iter=15, random_state=0)
    np.testing.assert_array_equal(again.mixture.covariances, prior.mixture.covariances)
    other = gaussmix.PatchPrior.learn(draw_waves(), 4, 4, n_patches=1500, max_iter=15, random_state=1)
    assert not np.array_equal(other.mixture.covariances, prior.mixture.covariances)


def test_bytes_and_colours_are_learnt_from_as_grey_floats(prior):
    colours = [
        np.repeat(np.rint(image * 255).astype(np.uint8)[:, :, None], 3, axis=2) for image in draw_waves()
    ]
    of_bytes = gaussmix.PatchPrior.learn(colours, 4, 4, n_patches=1500, max_iter=15, random_state=0)
    np.testing.assert_allclose(of_bytes.mixture.total_variances, prior.mixture.total_variances, atol=1e-3)


def test_groups_are_of_one_contrast_and_alike_but_for_the_sign():
    rng = np.random.default_rng(0)
    lines = np.array([[1.0, 0.0, 0.0], [0.0, 0.6, 0.8]])
    which, contrast = rng.integers(0, 2, 400), np.repeat([0.1, 1.0], 200)
    rows = (lines[which] * (contrast * rng.choice([-1.0, 1.0], 400))[:, None]).astype(np.float32)
    labels = group_patches(rows, 60, rng)
    assert set(labels) == set(range(60))
    mixed = [label for label in range(60) if len(set(which[labels == label])) > 1]
    assert len(mixed) <= 2  # a level of which all centres were drawn from one line
    assert all(len(set(contrast[labels == label])) == 1 for label in range(60))


def test_patches_are_drawn_in_proportion_to_the_sizes_of_images():
    small, large = np.zeros((10, 10)), np.tile(np.linspace(0, 1, 40), (40, 1))
    patches = draw_patches([small, large], 4, 3000, np.random.default_rng(0))
    assert patches.shape == (3000, 15) and patches.dtype == np.float32
    sloping = np.linalg.norm(patches, axis=1) > 0.02
    assert sloping.mean() == pytest.approx(37**2 / (37**2 + 7**2), abs=0.02)


def test_a_file_gives_the_prior_back_in_single_precision(prior, tmp_path):
    path = tmp_path / "waves.safetensors"
    prior.save(path, info={"of": "waves"})
    again = gaussmix.PatchPrior.load(path)
    assert again.patch_size == 4
    np.testing.assert_allclose(again.mixture.covariances, prior.mixture.covariances, rtol=1e-6, atol=1e-12)
    again.save(tmp_path / "again.safetensors", info={"of": "waves"})
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_any_family_is_kept_with_whole_covariances(tmp_path):
    mixture = gaussmix.Mixture([1.0], np.zeros((1, 8)), np.full((1, 8), 0.25), "diag")
    path = tmp_path / "prior.safetensors"
    gaussmix.PatchPrior(mixture, 3).save(path)
    np.testing.assert_array_equal(gaussmix.PatchPrior.load(path).mixture.covariances[0], 0.25 * np.eye(8))


def test_files_of_other_kinds_are_refused(prior, tmp_path):
    path = tmp_path / "file.safetensors"
    prior.save(path)
    with pytest.raises(ModelFileError, match=r"a patch prior, not a model; it is for PatchPrior.load"):
        gaussmix.Mixture.load(path)
    prior.mixture.save(path)
    with pytest.raises(ModelFileError, match="not a patch prior; a mixture is for Mixture.load"):
        gaussmix.PatchPrior.load(path)


def test_damage_is_found(prior, tmp_path):
    path = tmp_path / "prior.safetensors"
    prior.save(path)
    content = bytearray(path.read_bytes())
    content[-3] ^= 0x01
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="prior.safetensors"):
        gaussmix.PatchPrior.load(path)
    path.write_bytes(content[:-40])
    with pytest.raises(ModelFileError, match="prior.safetensors"):
        gaussmix.PatchPrior.load(path)


def test_the_natural_prior():
    prior = gaussmix.PatchPrior.natural()
    assert prior is gaussmix.PatchPrior.natural()
    spread = np.concatenate([[0.0], prior.mixture.total_variances]).reshape(8, 8)
    assert spread[0, 1] > 10 * spread[0, 7] > 0.0  # natural images are smooth
    path = datasets.natural_patches_path()
    assert path.stat().st_size < 2e6
    provenance = Path(path).with_suffix(".txt").read_text("utf-8")
    assert "licence" in provenance.lower() and "benchmarks.patch_prior" in provenance


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda mixture: gaussmix.PatchPrior(mixture, 4), "must have 15 features, .* got 8"),
        (
            lambda mixture: gaussmix.PatchPrior(mixture, 1),
            "patch_size must be a whole number from 2 to 16; got 1",
        ),
        (lambda mixture: gaussmix.PatchPrior(mixture, 3.0), "patch_size must be a whole number"),
        (lambda mixture: gaussmix.PatchPrior(None, 3), "mixture must be a Mixture; got NoneType"),
        (
            lambda mixture: gaussmix.PatchPrior(mixture.with_noise(gaussmix.Noise(0.1, 0.2)), 3),
            r"take mixture.without_noise\(\)",
        ),
    ],
)
def test_what_is_no_prior_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make(gaussmix.Mixture([1.0], np.zeros((1, 8)), np.eye(8)[None]))


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        ([], {}, "one image at least; got none"),
        ([np.zeros((3, 9))], {}, "image 0 must be at least as large as a patch, 4 x 4"),
        ([np.full((9, 9), np.inf)], {}, "image 0 contains NaN or infinity"),
        ([np.full((9, 9), 255.0)], {}, "image 0 has floats up to 255; white must be 1"),
        (
            draw_waves(1),
            {"n_components": 40},
            "n_components must be from 1 to a 50th of the patches, 20; got 40",
        ),
        (draw_waves(1), {"n_components": 0}, "n_components must be from 1"),
        (draw_waves(1), {"n_patches": 0}, "n_patches must be a positive whole number; got 0"),
    ],
)
def test_bad_images_and_numbers_are_refused(images, options, message):
    with pytest.raises(ValueError, match=message):
        gaussmix.PatchPrior.learn(
            images, **({"n_components": 4, "patch_size": 4, "n_patches": 1000} | options)
        )
