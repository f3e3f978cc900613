"""The particles' presence: how it is drawn while training, and what particles that are present cost."""

from collections.abc import Callable
from typing import Protocol

from jaxtyping import Float
from torch import Tensor

from motes.ops.densities.tied_beta import kl_of_beta, sample_beta, tied_beta

# parameters of the Beta distribution that is expected of a presence: 0 or 1 with equal odds; and while glimpses
# are learnt, when every particle should be tried
UNDECIDED = (0.1, 0.1)
RATHER_PRESENT = (0.2, 0.1)


class PresencePosterior(Protocol):
    """What the number that is read at each particle, its mean presence, says of its presence."""

    def sampled(self, mean: Float[Tensor, "B K"]) -> Float[Tensor, "B K"]: ...

    def price(self, mean: Float[Tensor, "B K"]) -> Float[Tensor, "B"]:
        """What the particles of a picture cost; one that is present costs 1."""
        ...

    def kl(self, mean: Float[Tensor, "B K"], prior: tuple[float, float]) -> Float[Tensor, "B"] | None:
        """The KL divergence to a Beta prior, summed over particles, of a presence that has a distribution."""
        ...


class DeterministicPresence:
    """The presence is the number itself."""

    def sampled(self, mean: Float[Tensor, "B K"]) -> Float[Tensor, "B K"]:
        return mean

    def price(self, mean: Float[Tensor, "B K"]) -> Float[Tensor, "B"]:
        return presence_price(mean)

    def kl(self, mean: Float[Tensor, "B K"], prior: tuple[float, float]) -> None:
        return None


class BetaPresence:
    """The presence has the tied Beta distribution with this mean.

    Most samples are close to 0 or to 1, so no particle can rely on being half present, and the price has no hill.
    """

    def sampled(self, mean: Float[Tensor, "B K"]) -> Float[Tensor, "B K"]:
        return sample_beta(tied_beta(mean)).to(mean.dtype)

    def price(self, mean: Float[Tensor, "B K"]) -> Float[Tensor, "B"]:
        return mean.sum(1)

    def kl(self, mean: Float[Tensor, "B K"], prior: tuple[float, float]) -> Float[Tensor, "B"]:
        return kl_of_beta(tied_beta(mean), prior).sum(1).to(mean.dtype)


PRESENCE_POSTERIORS: dict[str, Callable[[], PresencePosterior]] = {
    "deterministic": DeterministicPresence,
    "beta": BetaPresence,
}


def presence_price(presence: Float[Tensor, "B K"]) -> Float[Tensor, "B"]:
    """What the presences p_k of a picture cost: sum_k p_k + 8 p_k (1 - p_k)^3.

    A particle that is present costs 1, one that is a quarter present costs 1.1. Presence, alpha and contrast make
    up for one another, so without the second part a particle may stay half present for good, its colours
    exaggerated. The hill lies at a small presence: a hidden particle, which the picture does not hold, leaves
    from a large one (docs/log/quick-preset.md).
    """
    return (presence + 8 * presence * (1 - presence) ** 3).sum(1)
