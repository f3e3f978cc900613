"""Metrics agree with scikit-image and scipy."""

import pytest
import torch
from scipy.linalg import sqrtm
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from motes.ops.scores.metrics import frechet_distance, psnr, ssim


def pictures(channels, size):
    random = torch.Generator().manual_seed(0)
    wanted = torch.nn.functional.interpolate(
        torch.rand(3, channels, 8, 8, generator=random), size, mode="bilinear"
    )
    return (wanted + 0.1 * torch.randn(wanted.shape, generator=random)).clamp(0, 1), wanted


@pytest.mark.parametrize(("channels", "size"), [(3, (32, 32)), (1, (20, 41))])
def test_agree_with_scikit_image(channels, size):
    drawn, wanted = (image.double() for image in pictures(channels, size))
    for n in range(len(drawn)):
        x, y = drawn[n].numpy(), wanted[n].numpy()
        assert psnr(drawn, wanted)[n].item() == pytest.approx(
            peak_signal_noise_ratio(y, x, data_range=1), abs=1e-9
        )
        oracle = structural_similarity(
            x, y, data_range=1, channel_axis=0, gaussian_weights=True, use_sample_covariance=False
        )
        assert ssim(drawn, wanted)[n].item() == pytest.approx(float(oracle), abs=1e-9)


@pytest.mark.parametrize("size", [(1, 1), (2, 30), (64, 64)])
def test_any_size_and_equal_pictures(size):
    image = torch.rand(2, 3, *size)
    torch.testing.assert_close(ssim(image, image), torch.ones(2))
    assert (psnr(image, image) == 100).all()
    assert (ssim(image, 1 - image) < 1).all()


def test_values_outside_the_range_are_clamped():
    image = torch.ones(1, 3, 16, 16)
    assert psnr(image + 5, image) == 100
    torch.testing.assert_close(ssim(image + 5, image), torch.ones(1))


def test_frechet_distance_agrees_with_the_matrix_square_root():
    random = torch.Generator().manual_seed(0)
    one = torch.randn(400, 5, generator=random, dtype=torch.float64) @ torch.randn(
        5, 5, generator=random, dtype=torch.float64
    )
    other = torch.randn(300, 5, generator=random, dtype=torch.float64) + 0.5
    common = sqrtm(torch.cov(one.T).numpy() @ torch.cov(other.T).numpy()).real.trace()
    expected = (
        (one.mean(0) - other.mean(0)).square().sum()
        + torch.cov(one.T).trace()
        + torch.cov(other.T).trace()
        - 2 * common
    )
    assert frechet_distance(one, other) == pytest.approx(float(expected), rel=1e-6)
    assert frechet_distance(one, one + 2) == pytest.approx(20.0)  # a shift alone: its length, squared
