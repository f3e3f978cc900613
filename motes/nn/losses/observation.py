"""LIKELIHOODS: how likely a picture is, given what a network drew: Bernoulli, or Gaussian.

The variance of a Gaussian is fixed or learnt. Each likelihood is a module: it takes what a network drew,
before the last squashing, and the target picture, and returns one number per picture; its method `picture`
squashes. `Distance` gives any other loss, which has no density, the same form.
"""

import math
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError
from motes.nn.blocks.normalisation import mean_of_processes
from motes.types.latents import Image

# of a log-variance: beyond, one pixel would outweigh all others
LOWEST = -12.0
HIGHEST = 12.0
RUNNING_RATE = 0.02  # of the running log-variance, a step

Squash = Callable[[Tensor], Tensor]  # from what a network drew to the picture


@runtime_checkable
class ObservationLoss(Protocol):
    """A loss that compares what a network drew, before the last squashing, with the target picture.

    It returns one number per picture.
    """

    # whether that number is minus the logarithm of a likelihood
    density: bool

    def picture(self, drawn: Image, /) -> Image:
        """The picture: what was drawn, squashed into [0, 1]."""
        ...

    def __call__(self, drawn: Image, target: Image, /) -> Float[Tensor, "B"]: ...


class BernoulliLikelihood(nn.Module):
    """-log p(x | picture) in nats: the cross-entropy, summed over pixels.

    A drawn pixel is the probability that x is 1; a grey x counts as a share of ones.
    """

    density = True

    def forward(self, drawn: Image, target: Image) -> Float[Tensor, "B"]:
        if target.min() < 0 or target.max() > 1:
            raise UserError(
                "a Bernoulli likelihood reads pictures in [0, 1], "
                f"and these go from {target.min():.3g} to {target.max():.3g}; "
                "scale them, or take a gaussian one"
            )
        return F.binary_cross_entropy_with_logits(drawn, target, reduction="none").sum((1, 2, 3))

    def picture(self, drawn: Image) -> Image:
        return torch.sigmoid(drawn)


class GaussianLikelihood(nn.Module):
    """-log N(x; picture, variance): 1/2 sum_i ((x_i - picture_i)^2 / variance + log variance + log 2 pi), in
    nats.

    i runs over pixels. A mean over pixels beside a summed KL would weigh the KL hundreds of times too much.
    """

    density = True

    def __init__(self, squash: Squash, log_variance: nn.Module):
        super().__init__()
        self.picture = squash
        self.log_variance = log_variance

    def forward(self, drawn: Image, target: Image) -> Float[Tensor, "B"]:
        error = (self.picture(drawn) - target).square().flatten(1)
        log_variance = self.log_variance(error)
        return 0.5 * (error / log_variance.exp() + log_variance + math.log(2 * math.pi)).sum(1)


class FixedVariance(nn.Module):
    """The variance that the config gives."""

    value: Tensor

    def __init__(self, start: float):
        super().__init__()
        self.register_buffer("value", torch.tensor(math.log(start)))

    def forward(self, error: Float[Tensor, "B P"]) -> Float[Tensor, ""]:
        return self.value


class LearnedVariance(nn.Module):
    """One variance for all pixels, learnt together with the weights."""

    def __init__(self, start: float):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(math.log(start)))

    def forward(self, error: Float[Tensor, "B P"]) -> Float[Tensor, ""]:
        return self.value.clamp(LOWEST, HIGHEST)


class OptimalVariance(nn.Module):
    """The best variance for a batch, which is its mean squared error.

    While training, it is that of the present batch; later, the running mean, as in batch normalisation
    (Rybkin et al. 2021, https://arxiv.org/abs/2006.13202).
    """

    value: Tensor

    def __init__(self, start: float):
        super().__init__()
        self.register_buffer("value", torch.tensor(math.log(start)))

    def forward(self, error: Float[Tensor, "B P"]) -> Float[Tensor, ""]:
        if not self.training:
            return self.value
        best = mean_of_processes(error.mean()).log().clamp(LOWEST, HIGHEST)
        with torch.no_grad():
            self.value.lerp_(best, RUNNING_RATE)
        return best


class Distance(nn.Module):
    """A reconstruction loss in the form of a likelihood. It has no density."""

    density = False

    def __init__(self, squash: Squash, loss: nn.Module):
        super().__init__()
        self.picture = squash
        self.loss = loss

    def forward(self, drawn: Image, target: Image) -> Float[Tensor, "B"]:
        return self.loss(self.picture(drawn), target)


def squashing(squashed: bool) -> Squash:
    """A sigmoid if `squashed`, else a function that changes nothing."""
    return torch.sigmoid if squashed else _unchanged


def _unchanged(drawn: Tensor) -> Tensor:
    return drawn


# from the squashing and the variance of a config
LIKELIHOODS: dict[str, Callable[[Squash, float], ObservationLoss]] = {
    "bernoulli": lambda squash, variance: BernoulliLikelihood(),
    "gaussian": lambda squash, variance: GaussianLikelihood(squash, FixedVariance(variance)),
    "gaussian-learned": lambda squash, variance: GaussianLikelihood(squash, LearnedVariance(variance)),
    "gaussian-optimal": lambda squash, variance: GaussianLikelihood(squash, OptimalVariance(variance)),
}
