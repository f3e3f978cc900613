"""Beta distributions of numbers in [0, 1] with tied parameters: the mean says all about them."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from motes.ops.densities.noise import gamma_like

# a b = TIE^2: at a mean of 1/2 both are TIE, and most of the mass lies near 0 and near 1
TIE = 0.1
# of the odds a / b, either way: numbers between 1e-4 and 100
LARGEST_ODDS = 1e6


def tied_beta(mean: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape 2"]:
    """The parameters (a, b) of the tied Beta distribution that has this mean, in double precision.

    With odds o = mean / (1 - mean) they are a = sqrt(o) / 10 and b = 1 / (10 sqrt(o)). Their product is constant,
    so they cannot both grow and settle near a mean of 1/2 (Daniel & Tamar 2026, https://arxiv.org/abs/2603.04553).
    """
    odds = torch.logit(mean.double().clamp(1 / (1 + LARGEST_ODDS), LARGEST_ODDS / (1 + LARGEST_ODDS)))
    return TIE * torch.stack([(0.5 * odds).exp(), (-0.5 * odds).exp()], -1)


def sample_beta(parameters: Float[Tensor, "*shape 2"]) -> Float[Tensor, "*shape"]:
    """A sample of each Beta distribution, differentiable in its parameters; the first axis is the batch."""
    gammas = gamma_like(parameters)
    return gammas[..., 0] / gammas.sum(-1)


def kl_of_beta(parameters: Float[Tensor, "*shape 2"], other: tuple[float, float]) -> Float[Tensor, "*shape"]:
    """KL(Beta(a, b) || Beta(a', b')), one number per distribution; a', b' are the parameters `other`.

    It is ln B(a', b') - ln B(a, b) + (a - a') psi(a) + (b - b') psi(b) + (a' + b' - a - b) psi(a + b).
    """
    prior = parameters.new_tensor(other)
    excess = parameters - prior
    total = parameters.sum(-1)
    normaliser = torch.lgamma(parameters).sum(-1) - torch.lgamma(total)
    of_prior = sum(math.lgamma(value) for value in other) - math.lgamma(sum(other))
    slopes = (excess * torch.digamma(parameters)).sum(-1) - excess.sum(-1) * torch.digamma(total)
    return of_prior - normaliser + slopes
