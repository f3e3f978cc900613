"""CORRUPTIONS: ways to corrupt an input, which a model learns to undo.

Some change a share of the numbers, others change all of them a little.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motes.errors import UserError
from motes.ops.densities.noise import normal_like, uniform_like
from motes.ops.points.warp import Warps, picture_basis, random_weights, resampled

SHARES = ("masking", "salt-and-pepper")  # whose amount is a probability


@dataclass(frozen=True)
class Corrupted:
    """A corrupted input, and which of its numbers were changed."""

    values: Float[Tensor, "B ..."]
    touched: Bool[Tensor, "B ..."]


def mask_values(values: Float[Tensor, "B ..."], share: float) -> Corrupted:
    """Set each number to zero with probability `share`."""
    touched = uniform_like(values) < share
    return Corrupted(torch.where(touched, torch.zeros_like(values), values), touched)


def add_salt_and_pepper(values: Float[Tensor, "B ..."], share: float) -> Corrupted:
    """Replace each number with probability `share` by 0 or 1, which are equally likely."""
    dice = uniform_like(values)
    touched = dice < share
    return Corrupted(torch.where(touched, (dice < share / 2).to(values), values), touched)


def add_gaussian_noise(values: Float[Tensor, "B ..."], deviation: float) -> Corrupted:
    """Add Gaussian noise to every number; values outside [0, 1] are not clipped."""
    return Corrupted(values + deviation * normal_like(values), torch.ones_like(values, dtype=torch.bool))


def warp_pictures(values: Float[Tensor, "B ..."], strength: float) -> Corrupted:
    """Bend, shift, scale and turn each picture at random; `strength` 1 is as strong as in a warped pair.

    Pictures are mirrored at their edges.
    """
    if values.dim() != 4:
        raise UserError(
            "only pictures can be warped, not codes; "
            "choose the corruption masking, salt-and-pepper or gaussian"
        )
    basis = picture_basis(values)
    bent = resampled(values, basis @ random_weights(values, Warps(), strength), "reflection").clamp(0, 1)
    return Corrupted(bent, torch.ones_like(values, dtype=torch.bool))


CORRUPTIONS: dict[str, Callable[[Tensor, float], Corrupted]] = {
    "masking": mask_values,
    "salt-and-pepper": add_salt_and_pepper,
    "gaussian": add_gaussian_noise,
    "warp": warp_pictures,
}


def corruption(name: str, amount: float) -> Callable[[Tensor], Corrupted]:
    """The corruption with this name, as a function of the input; `amount` says how strong it is."""
    if name not in CORRUPTIONS:
        raise UserError(f"there is no corruption {name!r}; choose one of {', '.join(CORRUPTIONS)}")
    if amount < 0 or (amount >= 1 and name in SHARES):
        raise UserError(
            f"an amount of {amount} cannot be: "
            "a share is from 0 to below 1, a deviation or strength at least 0"
        )
    return lambda values: CORRUPTIONS[name](values, amount)
