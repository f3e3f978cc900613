"""OBSERVATIONS: what a drawn picture says of a seen one: laws with a density (Bernoulli, Gaussian), or any
reconstruction loss without.

Each is a module from what a network drew, before the last squashing, and the wanted picture to one number a
picture; `picture` squashes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError
from motes.nn.blocks.normalisation import mean_of_processes
from motes.nn.losses.perceptual import RECONSTRUCTIONS, reconstruction_loss
from motes.types.latents import Image

# of a log-variance: beyond, one pixel would outweigh all others
LOWEST = -12.0
HIGHEST = 12.0


@runtime_checkable
class Observation(Protocol):
    """From what a network drew, before the last squashing, and the target to one number a picture."""

    # whether that number is minus the logarithm of a likelihood
    density: bool

    def picture(self, drawn: Image, /) -> Image:
        """What was drawn, squashed."""
        ...

    def __call__(self, drawn: Image, target: Image, /) -> Float[Tensor, "B"]: ...


@dataclass(frozen=True)
class Told:
    """What a config says of the law."""

    # from what is drawn to a mean
    squash: Callable[[Tensor], Tensor]
    variance: float


class Bernoulli(nn.Module):
    """-log p(x | picture), each pixel a coin, or the share of heads: sum_i of the cross-entropy. In nats."""

    density = True

    def forward(self, drawn: Image, wanted: Image) -> Float[Tensor, "B"]:
        if wanted.min() < 0 or wanted.max() > 1:
            raise UserError(
                f"a Bernoulli likelihood reads pictures in [0, 1], and these go from {wanted.min():.3g} to {wanted.max():.3g}; "
                "scale them, or take a gaussian one"
            )
        return F.binary_cross_entropy_with_logits(drawn, wanted, reduction="none").sum((1, 2, 3))

    def picture(self, drawn: Image) -> Image:
        return torch.sigmoid(drawn)


class Gaussian(nn.Module):
    """-log N(x; picture, variance): 1/2 sum_i ((x - picture)^2 / variance + log variance + log 2 pi). In
    nats, summed over pixels: a mean over pixels beside a summed KL would weigh the KL hundreds of times too
    much."""

    density = True

    def __init__(self, squash: Callable[[Tensor], Tensor], log_variance: nn.Module):
        super().__init__()
        self.picture = squash
        self.log_variance = log_variance

    def forward(self, drawn: Image, wanted: Image) -> Float[Tensor, "B"]:
        error = (self.picture(drawn) - wanted).square().flatten(1)
        log_variance = self.log_variance(error)
        return 0.5 * (error / log_variance.exp() + log_variance + math.log(2 * math.pi)).sum(1)


class FixedVariance(nn.Module):
    """As told."""

    value: Tensor

    def __init__(self, start: float):
        super().__init__()
        self.register_buffer("value", torch.tensor(math.log(start)))

    def forward(self, error: Float[Tensor, "B P"]) -> Float[Tensor, ""]:
        return self.value


class LearnedVariance(nn.Module):
    """One number for all pixels, learnt with the weights."""

    def __init__(self, start: float):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(math.log(start)))

    def forward(self, error: Float[Tensor, "B P"]) -> Float[Tensor, ""]:
        return self.value.clamp(LOWEST, HIGHEST)


class OptimalVariance(nn.Module):
    """While training, the best one for the batch, which is its mean squared error; later, their running
    mean, as batch normalisation has it (Rybkin et al. 2021, https://arxiv.org/abs/2006.13202)."""

    value: Tensor

    def __init__(self, start: float):
        super().__init__()
        self.register_buffer("value", torch.tensor(math.log(start)))

    def forward(self, error: Float[Tensor, "B P"]) -> Float[Tensor, ""]:
        if not self.training:
            return self.value
        best = mean_of_processes(error.mean()).log().clamp(LOWEST, HIGHEST)
        with torch.no_grad():
            self.value.lerp_(best, 0.02)
        return best


class Distance(nn.Module):
    """A reconstruction loss: no density, so that it knows no likelihood."""

    density = False

    def __init__(self, squash: Callable[[Tensor], Tensor], loss: nn.Module):
        super().__init__()
        self.picture = squash
        self.loss = loss

    def forward(self, drawn: Image, wanted: Image) -> Float[Tensor, "B"]:
        return self.loss(self.picture(drawn), wanted)


LIKELIHOODS: dict[str, Callable[[Told], Observation]] = {
    "bernoulli": lambda told: Bernoulli(),
    "gaussian": lambda told: Gaussian(told.squash, FixedVariance(told.variance)),
    "gaussian-learned": lambda told: Gaussian(told.squash, LearnedVariance(told.variance)),
    "gaussian-optimal": lambda told: Gaussian(told.squash, OptimalVariance(told.variance)),
}


def observation(name: str, squashed: bool, variance: float) -> Observation:
    """By name; `squashed`: what is drawn goes through a sigmoid before it is compared."""
    if not variance > 0:
        raise UserError(f"variance must be more than 0, not {variance}")
    squash = SQUASHES[squashed]
    if name in LIKELIHOODS:
        return LIKELIHOODS[name](Told(squash, variance))
    if name not in RECONSTRUCTIONS:
        raise UserError(
            f"reconstruction {name!r} is unknown; choose one of {', '.join((*LIKELIHOODS, *RECONSTRUCTIONS))}"
        )
    return Distance(squash, reconstruction_loss(name))


def unsquashed(drawn: Tensor) -> Tensor:
    return drawn


SQUASHES = {True: torch.sigmoid, False: unsquashed}
