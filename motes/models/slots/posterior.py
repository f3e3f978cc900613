"""The posterior of a slot's code: independent normal numbers, and the gradient of a bound in closed form."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

# added to every variance, so that its logarithm is finite
LEAST_VARIANCE = 1e-6
# of which the softplus is 1
UNIT = math.log(math.e - 1)


@dataclass(frozen=True)
class Posterior:
    """q(z) = N(mean, variance), variance = softplus(raw); `numbers` are the means, then raw."""

    numbers: Float[Tensor, "*N P"]

    @classmethod
    def of(cls, mean: Float[Tensor, "*N Z"], variance: Float[Tensor, "*N Z"]) -> "Posterior":
        """The posterior with this mean and variance."""
        above = (variance - LEAST_VARIANCE).clamp_min(LEAST_VARIANCE)
        return cls(torch.cat([mean, above.expm1().log()], -1))

    @property
    def mean(self) -> Float[Tensor, "*N Z"]:
        return self.numbers.chunk(2, -1)[0]

    @property
    def raw(self) -> Float[Tensor, "*N Z"]:
        return self.numbers.chunk(2, -1)[1]

    @property
    def variance(self) -> Float[Tensor, "*N Z"]:
        return F.softplus(self.raw) + LEAST_VARIANCE

    def sample(self, noise: Float[Tensor, "*N Z"]) -> Float[Tensor, "*N Z"]:
        return self.mean + self.variance.sqrt() * noise

    def kl(self) -> Float[Tensor, "*N"]:
        """KL(q || N(0, 1)), in nats."""
        variance = self.variance
        return 0.5 * (variance + self.mean.square() - 1 - variance.log()).sum(-1)

    @torch.no_grad()
    def slopes(self, slope: Float[Tensor, "*N Z"], noise: Float[Tensor, "*N Z"]) -> Float[Tensor, "*N P"]:
        """The gradient of a loss of the sample plus the KL; `slope` is the loss's gradient of the sample."""
        variance = self.variance
        of_variance = slope * noise / (2 * variance.sqrt()) + 0.5 * (1 - 1 / variance)
        return torch.cat([slope + self.mean, of_variance * torch.sigmoid(self.raw)], -1)
