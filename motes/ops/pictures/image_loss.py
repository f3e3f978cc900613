"""Errors between two pictures: one number per picture, summed over pixels and channels, or one per pixel."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.types.latents import Image


def squared_error(drawn: Image, target: Image) -> Float[Tensor, "B"]:
    return (drawn - target).square().sum((1, 2, 3))


def laplacian_error(drawn: Image, target: Image, levels: int = 4) -> Float[Tensor, "B"]:
    """sum_j 2^(2j) |L_j(x) - L_j(x')|_1, where L_j(x) is level j of the Laplacian pyramid of a picture x.

    Bojanowski et al. 2018, https://arxiv.org/abs/1707.05776. A misplaced edge costs at every scale, so
    blurring it away does not pay as it does under squared errors. The pyramid is linear, so one pyramid of
    the difference is enough.
    """
    remainder = drawn - target
    total = drawn.new_zeros(len(drawn))
    level = 0
    for level in range(levels):
        if min(remainder.shape[-2:]) < 2:
            break
        smaller = F.avg_pool2d(remainder, 2, ceil_mode=True, count_include_pad=False)
        detail = remainder - _enlarged(smaller, remainder)
        total = total + 4.0**level * detail.abs().sum((1, 2, 3))
        remainder = smaller
    return total + 4.0**level * remainder.abs().sum((1, 2, 3))


def _enlarged(image: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(image, size=like.shape[-2:], mode="bilinear", align_corners=False)


def squared(drawn: Float[Tensor, "B ..."], target: Float[Tensor, "B ..."]) -> Float[Tensor, "B ..."]:
    return (drawn - target).square()


def absolute(drawn: Float[Tensor, "B ..."], target: Float[Tensor, "B ..."]) -> Float[Tensor, "B ..."]:
    return (drawn - target).abs()


def cross_entropy(drawn: Float[Tensor, "B ..."], target: Float[Tensor, "B ..."]) -> Float[Tensor, "B ..."]:
    """The cross-entropy of the target given drawn probabilities, for values in [0, 1].

    It is nearly 0 where both values are 0 or both are 1.
    """
    # in half precision the upper end would be 1
    probability = drawn.float().clamp(1e-6, 1 - 1e-6)
    return -(target * probability.log() + (1 - target) * torch.log1p(-probability))


# one number a pixel
PIXEL_ERRORS = {"squared": squared, "absolute": absolute, "cross-entropy": cross_entropy}


def pixel_error(name: str):
    if name not in PIXEL_ERRORS:
        raise UserError(f"there is no error of pixels {name!r}; choose one of {', '.join(PIXEL_ERRORS)}")
    return PIXEL_ERRORS[name]
