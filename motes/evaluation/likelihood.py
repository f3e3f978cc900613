"""The likelihood of pictures under a model with a Gaussian posterior, bounded by importance sampling.

The module also counts how many numbers of the model's code are used.
"""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model
from motes.ops.densities.divergence import kl_to_standard_normal, sample_normal
from motes.ops.densities.likelihood_bounds import active_units, log_normal
from motes.types.latents import Code, Image


@runtime_checkable
class Explains(Protocol):
    """A model whose prior p(z) is a standard normal and that can compute log p(x | z)."""

    def encode(self, image: Image) -> Code: ...

    def log_likelihood(self, image: Image, code: Float[Tensor, "B F"]) -> Float[Tensor, "B"]: ...


def log_weights(model: Explains, image: Image, samples: int) -> Float[Tensor, "K B"]:
    """log p(x | z) + log p(z) - log q(z | x) for `samples` draws of z from the posterior of each picture x.

    `motes.ops.densities.likelihood_bounds.importance_bound` turns them into a bound.
    """
    with torch.no_grad():
        mean, log_variance = _posterior(model.encode(image))
        return torch.stack([_log_weight(model, image, mean, log_variance) for _ in range(samples)])


def _log_weight(model: Explains, image: Image, mean: Tensor, log_variance: Tensor) -> Float[Tensor, "B"]:
    code = sample_normal(mean, log_variance)
    prior = log_normal(code, torch.zeros_like(mean), torch.zeros_like(mean))
    return model.log_likelihood(image, code) + prior - log_normal(code, mean, log_variance)


@dataclass(frozen=True)
class Usage:
    """How much each number of a code is used, measured over pictures."""

    # whether the posterior mean of this number varies over pictures
    active: Bool[Tensor, " F"]
    # mean KL divergence from the prior, in nats: about 0 where the number has collapsed
    divergence: Float[Tensor, " F"]

    @property
    def count(self) -> int:
        return int(self.active.sum())


def code_usage(model: Model, image: Image) -> Usage:
    with torch.no_grad():
        mean, log_variance = _posterior(model.encode(image))
    return Usage(active_units(mean), kl_to_standard_normal(mean, log_variance).mean(0))


def _posterior(latent: Any) -> tuple[Float[Tensor, "B F"], Float[Tensor, "B F"]]:
    """The mean and the log-variance of a code; latents without them are refused."""
    if not isinstance(latent, Code) or latent.log_variance is None:
        raise UserError(
            "the likelihood and the use of a code need its posterior, a mean and a log-variance for each "
            f"number of one vector; the latent of this model, {type(latent).__name__}, has none"
        )
    return latent.vector, latent.log_variance
