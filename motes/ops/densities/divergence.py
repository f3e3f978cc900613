"""Samples of normal distributions, and divergences: KL, and Chamfer-KL between sets of points."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from motes.ops.densities.noise import normal_like
from motes.ops.gather import take


def sample_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """A sample mean + exp(log_variance / 2) * noise, differentiable in mean and log-variance."""
    return mean + (0.5 * log_variance).exp() * normal_like(mean)


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)), one number per element."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


def kl_to_normal(
    mean: Tensor, log_variance: Tensor, other_mean: Tensor, other_log_variance: Tensor | float
) -> Tensor:
    """KL(N(mean, variance) || N(other mean, other variance)), one number per element."""
    target = torch.as_tensor(other_log_variance, dtype=mean.dtype, device=mean.device)
    ratio = ((mean - other_mean).square() + log_variance.exp()) / target.exp()
    return 0.5 * (ratio - 1 + target - log_variance)


def chamfer_kl(
    mean: Float[Tensor, "B K 2"],
    log_variance: Float[Tensor, "B K 2"],
    proposals: Float[Tensor, "B M 2"],
    prior_std: float,
) -> Float[Tensor, "B"]:
    """The Chamfer-KL divergence: it pulls every particle to a proposal, and to every proposal a particle.

    With d_km = KL(N(mean_k, variance_k) || N(proposal_m, prior_std^2)) it is sum_k min_m d_km + sum_m min_k
    d_km (Daniel & Tamar 2022, eq. 3).
    """
    # what a particle pays wherever it stands
    constant = kl_to_normal(mean, log_variance, mean, 2 * math.log(prior_std)).sum(-1)
    proposal, particle = _nearest_pairs(mean, constant, proposals, prior_std)
    reached = constant + (mean - take(proposals, proposal)).square().sum(-1) / (2 * prior_std**2)
    gaps = (take(mean, particle) - proposals).square().sum(-1)
    covered = constant.gather(1, particle) + gaps / (2 * prior_std**2)
    return reached.sum(1) + covered.sum(1)


@torch.no_grad()
def _nearest_pairs(
    mean: Float[Tensor, "B K 2"],
    constant: Float[Tensor, "B K"],
    proposals: Float[Tensor, "B M 2"],
    prior_std: float,
) -> tuple[Int[Tensor, "B K"], Int[Tensor, "B M"]]:
    """The number of the proposal nearest to each particle, and of the particle nearest to each proposal.

    Distance is the divergence. Only these numbers are kept, not the table of all pairs.
    """
    distance = (mean[:, :, None, 0] - proposals[:, None, :, 0]).square_()
    columns = mean[:, :, None, 1] - proposals[:, None, :, 1]
    distance.addcmul_(columns, columns)
    distance /= 2 * prior_std**2
    return distance.argmin(2), distance.add_(constant[:, :, None]).argmin(1)
