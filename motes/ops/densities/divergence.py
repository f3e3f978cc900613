"""Sampling from normals, and how far distributions are: KL, and Chamfer-KL between sets of points."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from motes.ops.densities.noise import normal_like


def sample_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """mean + exp(log_variance / 2) * noise: differentiable in both."""
    return mean + (0.5 * log_variance).exp() * normal_like(mean)


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)), one number an element."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


def kl_to_normal(
    mean: Tensor, log_variance: Tensor, other_mean: Tensor, other_log_variance: Tensor | float
) -> Tensor:
    """KL(N(mean, variance) || N(other mean, other variance)), one number an element."""
    other = torch.as_tensor(other_log_variance, dtype=mean.dtype, device=mean.device)
    ratio = ((mean - other_mean).square() + log_variance.exp()) / other.exp()
    return 0.5 * (ratio - 1 + other - log_variance)


def chamfer_kl(
    mean: Float[Tensor, "B K 2"],
    log_variance: Float[Tensor, "B K 2"],
    proposals: Float[Tensor, "B M 2"],
    prior_std: float,
) -> Float[Tensor, "B"]:
    """Every particle near some proposal and every proposal near some particle (Daniel & Tamar 2022, eq. 3).

    d_km = KL(N(mean_k, variance_k) || N(proposal_m, prior_std^2));  sum_k min_m d_km + sum_m min_k d_km.
    """
    own = kl_to_normal(mean, log_variance, mean, 2 * math.log(prior_std)).sum(
        -1
    )  # what a particle pays wherever it stands
    with torch.no_grad():  # which is nearest to which: of all pairs no more is kept
        apart = ((mean[:, :, None, 0] - proposals[:, None, :, 0]).square_()).addcmul_(
            *[mean[:, :, None, 1] - proposals[:, None, :, 1]] * 2
        )
        apart /= 2 * prior_std**2
        proposal = apart.argmin(2)
        particle = apart.add_(own[:, :, None]).argmin(1)
    near_proposals = proposals.gather(1, proposal[..., None].expand(-1, -1, 2))
    near_particles = mean.gather(1, particle[..., None].expand(-1, -1, 2))
    reached = own + (mean - near_proposals).square().sum(-1) / (2 * prior_std**2)
    covered = own.gather(1, particle) + (near_particles - proposals).square().sum(-1) / (2 * prior_std**2)
    return reached.sum(1) + covered.sum(1)
