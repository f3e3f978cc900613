"""The price of particles that are present."""

from jaxtyping import Float
from torch import Tensor


def presence_price(presence: Float[Tensor, "B K"]) -> Float[Tensor, "B"]:
    """What the presences p_k of a picture cost: sum_k p_k + 8 p_k (1 - p_k)^3.

    A particle that is present costs 1, one that is a quarter present costs 1.1. Presence, alpha and contrast make
    up for one another, so without the second part a particle may stay half present for good, its colours
    exaggerated. The hill lies at a small presence: a hidden particle, which the picture does not hold, leaves
    from a large one (docs/log/quick-preset.md).
    """
    return (presence + 8 * presence * (1 - presence) ** 3).sum(1)
