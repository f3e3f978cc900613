"""Bounds of log p(x) from samples of a posterior, likelihoods of linear models, and the active units of a
code."""

import math

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor


def log_normal(values: Float[Tensor, "*B F"], mean: Tensor, log_variance: Tensor) -> Float[Tensor, "*B"]:
    """log N(values; mean, variance), summed over the last axis."""
    square = (values - mean).square() / log_variance.exp()
    return -0.5 * (square + log_variance + math.log(2 * math.pi)).sum(-1)


def importance_bound(log_weights: Float[Tensor, "K B"], samples: int) -> Float[Tensor, "B"]:
    """The importance-weighted bound E log 1/k sum_k w_k <= log p(x), where w = p(x, z) / q(z|x), z ~ q, k =
    `samples`.

    It is the mean over the K / k groups of k weights each; k = 1 gives the evidence lower bound. The bound is
    sure to rise with k where each k divides the next (Burda et al. 2016, https://arxiv.org/abs/1509.00519).
    """
    grouped = rearrange(log_weights, "(groups k) b -> groups k b", k=samples)
    return (grouped.logsumexp(1) - math.log(samples)).mean(0)


def active_units(means: Float[Tensor, "B F"], least: float = 0.01) -> Bool[Tensor, " F"]:
    """Whether each unit is active: its posterior mean varies between pictures by a variance above `least`.

    Burda et al. 2016.
    """
    return means.var(0) > least


def principal_likelihood(
    pictures: Float[Tensor, "N P"], others: Float[Tensor, "B P"], size: int
) -> Float[Tensor, "B"]:
    """log p of `others` under probabilistic principal components fitted to `pictures`.

    The fit is in closed form (Tipping & Bishop 1999): p = N(mean, U (L - variance) U^T + variance), where U
    and L are the first `size` eigenvectors and eigenvalues, and the variance is the mean of the other
    eigenvalues.
    """
    middle = pictures.mean(0)
    values, axes = torch.linalg.eigh(torch.cov(pictures.T, correction=0))
    values = values.flip(0)
    axes = axes.flip(1)
    variance = values[size:].mean()
    weight = axes[:, :size] * (values[:size] - variance).clamp_min(0).sqrt()
    return linear_gaussian_likelihood(others, middle, weight, variance)


def linear_gaussian_likelihood(
    pictures: Float[Tensor, "B P"],
    middle: Float[Tensor, " P"],
    weight: Float[Tensor, "P F"],
    variance: Tensor,
) -> Float[Tensor, "B"]:
    """log N(x; middle, weight weight^T + variance) of pictures x.

    This is their likelihood under a linear decoder of standard normal codes.
    """
    return torch.distributions.LowRankMultivariateNormal(
        middle, weight, variance.expand(len(middle))
    ).log_prob(pictures)
