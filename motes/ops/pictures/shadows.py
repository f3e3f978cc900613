"""How unlike a ground colours are, when the ground may lie in a shadow."""

from jaxtyping import Float
from torch import Tensor

DARKEST = 0.35  # share of the light that a shadow leaves
SHADOW_IN_A_GLIMPSE = 0.02  # what a shadow's difference from the ground counts for where a thing's middle is


def unlike(
    colours: Float[Tensor, "*n c r s"], ground: Float[Tensor, "*m c p q"], shadow: float
) -> Float[Tensor, "*n r s"]:
    """The squared distance of each pixel's colour from the ground's, in any shadow.

    The ground has one colour, or one for each pixel. A shadow multiplies all colours by one factor. What is as
    bright as the ground or darker, but of its hue, may be ground in a shadow, and counts this share only.
    """
    light = (colours * ground).sum(-3, keepdim=True) / ground.square().sum(-3, keepdim=True).clamp_min(1e-6)
    shaded = light.clamp(DARKEST, 1.0) * ground
    plain = (colours - ground).square().sum(-3)
    return (1 - shadow) * (colours - shaded).square().sum(-3) + shadow * plain
