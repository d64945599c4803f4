"""Denoising: laws that hold for any prior, and that the natural one takes noise out of plain pictures."""

import numpy as np
import pytest

import gaussmix
from gaussmix.apps.patches import splitting
from gaussmix.apps.patches.denoising import estimate_sigma
from gaussmix.apps.patches.posterior import Spectrum, estimate_patches
from gaussmix.apps.patches.windows import add_patches, count_patches, make_basis, read_patches
from gaussmix.model.mixture.sampling import draw_rows

SIGMA = 25 / 255


def draw_scene(height=48, width=56):
    """A disc and a bar before a sky: edges of all directions, and smooth parts."""
    y, x = np.mgrid[:height, :width]
    scene = 0.4 + 0.3 * y / height
    scene[(y - 20) ** 2 + (x - 18) ** 2 < 130] = 0.9
    scene[np.abs(y - x * 0.7) < 4] = 0.1
    return scene


def add_noise(image, sigma=SIGMA, seed=0):
    return image + np.random.default_rng(seed).normal(0.0, sigma, image.shape)


def measure_psnr(image, truth):
    return 10.0 * np.log10(1.0 / np.mean((image - truth) ** 2))


@pytest.fixture(scope="module")
def small_prior():
    """Of 3 x 3 patches, three components of random covariances and means."""
    rng = np.random.default_rng(1)
    roots = rng.normal(size=(3, 8, 8)) * np.array([0.3, 0.1, 0.02])[:, None, None]
    covariances = roots @ roots.transpose(0, 2, 1) + 1e-4 * np.eye(8)
    mixture = gaussmix.Mixture([0.5, 0.3, 0.2], 0.05 * rng.normal(size=(3, 8)), covariances)
    return gaussmix.PatchPrior(mixture, 3)


@pytest.mark.parametrize("size", [2, 3, 8])
def test_cosines_are_orthonormal_and_without_a_mean(size):
    basis = make_basis(size)
    np.testing.assert_allclose(basis @ basis.T, np.eye(size**2 - 1), atol=1e-12)
    np.testing.assert_allclose(basis.sum(axis=1), 0.0, atol=1e-12)


def test_patches_put_together_are_the_image():
    image = np.random.default_rng(0).random((11, 14))
    total = np.zeros_like(image)
    add_patches(*read_patches(image, 5), total, 5)
    np.testing.assert_allclose(total / count_patches(image.shape, 5), image, atol=1e-12)


def test_estimates_are_posterior_means(small_prior, monkeypatch):
    monkeypatch.setattr("gaussmix.apps.patches.posterior.LEAST_PROBABILITY", 0.0)
    mixture, variance = small_prior.mixture, 0.01
    patches = draw_rows(mixture, 200, np.random.default_rng(0))[0] + np.random.default_rng(0).normal(
        0, 0.1, (200, 8)
    )
    observed = Spectrum.of(mixture).observe(variance, patches.dtype)
    estimates = estimate_patches(observed, patches)
    update = mixture.linear_gaussian_update(1.0, None, variance, patches)
    np.testing.assert_allclose(estimates, update.mixture.mean, rtol=1e-9, atol=1e-12)
    for patch, estimate in zip(patches[:20], estimates[:20], strict=True):
        seen = mixture.covariances + variance * np.eye(8)
        difference = patch - mixture.means
        distance = np.array([d @ np.linalg.solve(S, d) for d, S in zip(difference, seen, strict=True)])
        joint = np.log(mixture.weights) - 0.5 * (distance + np.linalg.slogdet(seen)[1])
        shares = np.exp(joint - joint.max()) / np.exp(joint - joint.max()).sum()
        means = [
            m + C @ np.linalg.solve(S, d)
            for m, C, S, d in zip(mixture.means, mixture.covariances, seen, difference, strict=True)
        ]
        np.testing.assert_allclose(estimate, shares @ np.array(means), rtol=1e-9, atol=1e-12)


def test_rare_components_do_not_count_but_the_most_probable_does(small_prior, monkeypatch):
    patches = draw_rows(small_prior.mixture, 300, np.random.default_rng(0))[0]
    observed = Spectrum.of(small_prior.mixture).observe(0.01, patches.dtype)
    monkeypatch.setattr("gaussmix.apps.patches.posterior.LEAST_PROBABILITY", 1.0)
    best = observed.blurred.predict(patches)
    expected = [
        m + G @ (y - m) for y, m, G in zip(patches, observed.means[best], observed.filters[best], strict=True)
    ]
    np.testing.assert_allclose(estimate_patches(observed, patches), expected, atol=1e-12)


def test_noise_goes_and_edges_stay():
    scene = draw_scene()
    noisy = add_noise(scene)
    restored = gaussmix.denoise(noisy, SIGMA)
    assert restored.dtype == np.float64 and restored.shape == scene.shape
    assert restored.min() >= 0.0 and restored.max() <= 1.0
    assert measure_psnr(restored, scene) > measure_psnr(noisy, scene) + 7.0
    edge = np.abs(np.diff(restored[20]))[4:10].max()  # the disc's, of a height of a half
    assert edge > 0.25


def test_the_range_of_integers_is_that_of_their_type():
    noisy = np.clip(add_noise(draw_scene(20, 24)) * 255, 0, 255).round().astype(np.uint8)
    of_bytes = gaussmix.denoise(noisy, 25)
    np.testing.assert_array_equal(of_bytes, gaussmix.denoise(noisy / 255.0, 25 / 255))
    np.testing.assert_array_equal(of_bytes, gaussmix.denoise(noisy.astype(">u2") * 257, 25 * 257))


def test_colours_that_are_grey_are_denoised_as_grey():
    noisy = add_noise(draw_scene(20, 24))
    grey = gaussmix.denoise(noisy, SIGMA)
    colours = gaussmix.denoise(np.repeat(noisy[:, :, None], 3, axis=2), SIGMA * 3**0.5)
    np.testing.assert_allclose(colours, np.repeat(grey[:, :, None], 3, axis=2), atol=1e-3)


def test_noise_goes_out_of_colours():
    scene = np.stack([draw_scene(30, 32), draw_scene(30, 32)[::-1], 1.0 - draw_scene(30, 32)], axis=2)
    noisy = add_noise(scene)
    assert measure_psnr(gaussmix.denoise(noisy, SIGMA), scene) > measure_psnr(noisy, scene) + 5.0


def test_sigma_is_estimated():
    noisy = add_noise(draw_scene(), 0.08)
    assert estimate_sigma(noisy, 8) == pytest.approx(0.08, rel=0.2)
    restored = gaussmix.denoise(noisy)
    np.testing.assert_array_equal(restored, gaussmix.denoise(noisy, estimate_sigma(noisy, 8)))


def test_without_noise_the_image_stays(small_prior):
    scene = draw_scene(12, 15)
    np.testing.assert_array_equal(gaussmix.denoise(scene, 0.0, small_prior), scene)
    np.testing.assert_allclose(gaussmix.denoise(scene, 1e-6, small_prior), scene, atol=1e-4)
    flat = np.full((9, 9), 0.5)
    np.testing.assert_array_equal(gaussmix.denoise(flat, prior=small_prior), flat)


@pytest.mark.parametrize("shape", [(3, 3), (3, 17), (16, 3), (5, 4)])
def test_images_hardly_larger_than_a_patch(small_prior, shape):
    noisy = add_noise(np.full(shape, 0.5))
    restored = gaussmix.denoise(noisy, SIGMA, small_prior)
    assert restored.shape == shape and np.isfinite(restored).all()


def test_bands_and_threads_change_nothing(small_prior, monkeypatch):
    noisy = add_noise(draw_scene(40, 30))
    whole = gaussmix.denoise(noisy, SIGMA, small_prior)
    monkeypatch.setattr(splitting, "BAND", 150)
    bits = set()
    for n_threads in ("1", "2", "3"):
        monkeypatch.setenv("GAUSSMIX_NUM_THREADS", n_threads)
        bits.add(gaussmix.denoise(noisy, SIGMA, small_prior).tobytes())
    assert len(bits) == 1
    np.testing.assert_allclose(np.frombuffer(bits.pop()).reshape(40, 30), whole, atol=1e-3)


def test_nothing_changes_its_arguments(small_prior):
    noisy = add_noise(draw_scene(12, 12))
    before = noisy.copy()
    gaussmix.denoise(noisy, SIGMA, small_prior)
    np.testing.assert_array_equal(noisy, before)


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (np.zeros((7, 30)), {}, "at least as large as a patch, 8 x 8 pixels; got 7 x 30"),
        (np.zeros(64), {}, r"must have the shape \(height, width\), or"),
        (np.zeros((9, 9, 4)), {}, r"red, green and blue; got \(9, 9, 4\)"),
        (np.full((9, 9), np.nan), {}, r"image contains NaN or infinity: entry \(0, 0\)"),
        (
            np.zeros((9, 9), complex),
            {},
            "floats from 0 to 1, or integers of 8 or 16 bits .* got the type complex128",
        ),
        (np.zeros((9, 9), np.int64), {}, "without a sign, whose range is known; got the type int64"),
        (np.full((9, 9), 200.0), {"sigma": 0.1}, "divide it .and sigma. by its range"),
        (np.zeros((9, 9)), {"sigma": 25}, "sigma must be from 0 to the range of the image, 1,"),
        (np.zeros((9, 9), np.uint8), {"sigma": -1}, "sigma must be from 0 to the range of the image, 255,"),
        (np.zeros((9, 9)), {"sigma": float("nan")}, "sigma must be from 0"),
        (np.zeros((9, 9)), {"sigma": "0.1"}, "sigma must be a number; got '0.1'"),
        (np.zeros((9, 9)), {"prior": 3}, "prior must be a PatchPrior; got int"),
    ],
)
def test_errors_say_what_is_wrong(image, options, message):
    with pytest.raises(ValueError, match=message):
        gaussmix.denoise(image, **({"sigma": 0.1} | options))
