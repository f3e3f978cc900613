"""How likely is a picture, by a model with a Gaussian posterior? Bounds by importance sampling; and how many
numbers of its code are used."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

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
    """A model whose prior is a standard normal and that knows log p(x | z)."""

    def encode(self, image: Image) -> Code: ...

    def log_likelihood(self, image: Image, code: Float[Tensor, "B F"]) -> Float[Tensor, "B"]: ...


def log_weights(model: Explains, image: Image, samples: int) -> Float[Tensor, "K B"]:
    """log p(x | z) + log p(z) - log q(z | x) for samples z of the posterior: see
    `motes.ops.densities.likelihood_bounds.importance_bound`."""
    with torch.no_grad():
        code = model.encode(image)
        if code.log_variance is None:
            raise UserError("this model's code has no posterior, from which its likelihood could be sampled")
        return torch.stack(
            [_log_weight(model, image, code.vector, code.log_variance) for _ in range(samples)]
        )


def _log_weight(model: Explains, image: Image, mean: Tensor, log_variance: Tensor) -> Float[Tensor, "B"]:
    code = sample_normal(mean, log_variance)
    prior = log_normal(code, torch.zeros_like(mean), torch.zeros_like(mean))
    return model.log_likelihood(image, code) + prior - log_normal(code, mean, log_variance)


@dataclass(frozen=True)
class Usage:
    """Of each number of a code, over pictures."""

    # whether its mean moves
    active: Bool[Tensor, " F"]
    # mean KL from the prior, nats: about 0 where it collapsed
    divergence: Float[Tensor, " F"]

    @property
    def count(self) -> int:
        return int(self.active.sum())


def code_usage(model: Model, image: Image) -> Usage:
    with torch.no_grad():
        code = model.encode(image)
    if not isinstance(code, Code) or code.log_variance is None:
        raise UserError("this model's code has no posterior; which of its numbers are used cannot be told")
    return Usage(active_units(code.vector), kl_to_standard_normal(code.vector, code.log_variance).mean(0))
