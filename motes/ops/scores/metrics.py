"""Scores of pictures for reports: one number per picture, or one between two sets of pictures."""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.types.latents import Image


def psnr(drawn: Image, target: Image) -> Float[Tensor, "B"]:
    """The peak signal-to-noise ratio in decibels, of pictures in [0, 1]: -10 log10 of the mean squared
    error."""
    return -10 * torch.log10((drawn.clamp(0, 1) - target).square().mean((1, 2, 3)).clamp_min(1e-10))


def ssim(drawn: Image, target: Image) -> Float[Tensor, "B"]:
    """The structural similarity of pictures in [0, 1]; 1 for equal pictures.

    Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861. The mean over channels and over all Gaussian
    windows (11 pixels, sigma 1.5) that lie inside the picture; windows are smaller in smaller pictures.
    """
    x = drawn.clamp(0, 1)
    y = target
    mean_x, mean_y, xx, yy, xy = _windowed(torch.stack([x, y, x * x, y * y, x * y]))
    brightness = (2 * mean_x * mean_y + 0.01**2) / (mean_x**2 + mean_y**2 + 0.01**2)
    variances = (xx - mean_x**2) + (yy - mean_y**2)
    return (brightness * (2 * (xy - mean_x * mean_y) + 0.03**2) / (variances + 0.03**2)).mean((1, 2, 3))


def frechet_distance(features: Float[Tensor, "N F"], others: Float[Tensor, "M F"]) -> float:
    """The squared Frechet distance between Gaussians fitted to two sets of features, in double precision.

    |m - m'|^2 + tr(S + S' - 2 (S S')^(1/2)), for means m and covariances S (Heusel et al. 2017,
    https://arxiv.org/abs/1706.08500); the last trace is the sum of singular values of S^(1/2) S'^(1/2).
    """
    first = features.double()
    second = others.double()
    roots = [_root(torch.cov(points.T)) for points in (first, second)]
    common = torch.linalg.svdvals(roots[0] @ roots[1]).sum()
    spread = sum(root.square().sum() for root in roots)
    return float((first.mean(0) - second.mean(0)).square().sum() + spread - 2 * common)


def _root(covariance: Float[Tensor, "F F"]) -> Float[Tensor, "F F"]:
    values, axes = torch.linalg.eigh(covariance)
    return axes * values.clamp_min(0).sqrt() @ axes.T


def _windowed(maps: Float[Tensor, "M B C H W"]) -> Float[Tensor, "M B C h w"]:
    """Gaussian-weighted means of the maps, computed along one axis after the other."""
    taps = _gaussian_taps((min(11, maps.shape[-2], maps.shape[-1]) - 1) // 2, maps)
    count, batch = maps.shape[:2]
    flat = rearrange(maps, "m b c h w -> (m b c) 1 h w")
    flat = F.conv2d(F.conv2d(flat, taps.view(1, 1, -1, 1)), taps.view(1, 1, 1, -1))
    return rearrange(flat, "(m b c) 1 h w -> m b c h w", m=count, b=batch)


def _gaussian_taps(radius: int, like: Tensor) -> Float[Tensor, "n"]:
    steps = torch.arange(-radius, radius + 1, dtype=like.dtype, device=like.device)
    taps = torch.exp(-steps.square() / (2 * 1.5**2))
    return taps / taps.sum()
