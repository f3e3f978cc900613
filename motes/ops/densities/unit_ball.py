"""BALLS: projections of each row to the nearest point of a ball of radius 1, in the norms p = 1, 2 and
infinity."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor


def into_diamond(code: Float[Tensor, "B F"]) -> Float[Tensor, "B F"]:
    """The nearest point of the ball with p = 1: all magnitudes fall by the same amount, none below 0.

    The amount is the largest of (sum of the k greatest - 1) / k over all k (Duchi et al. 2008,
    https://doi.org/10.1145/1390156.1390191).
    """
    sizes = code.abs()
    sums = sizes.sort(1, descending=True).values.cumsum(1)
    counts = torch.arange(1, code.shape[1] + 1, dtype=code.dtype, device=code.device)
    fall = ((sums - 1) / counts).amax(1, keepdim=True).clamp_min(0)
    return code.sign() * (sizes - fall).clamp_min(0)


def into_sphere(code: Float[Tensor, "B F"]) -> Float[Tensor, "B F"]:
    """The nearest point of the ball with p = 2."""
    return code / code.norm(dim=1, keepdim=True).clamp_min(1)


def into_cube(code: Float[Tensor, "B F"]) -> Float[Tensor, "B F"]:
    """The nearest point of the ball with p = infinity."""
    return code.clamp(-1, 1)


BALLS: dict[str, Callable[[Tensor], Tensor]] = {"1": into_diamond, "2": into_sphere, "inf": into_cube}
