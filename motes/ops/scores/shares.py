"""From the shares of each pixel to one owner per pixel; the background's share is first."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def owners_of(shares: Float[Tensor, "B A H W"], believed: Bool[Tensor, "B K"]) -> Int[Tensor, "B H W"]:
    """The owner of each pixel: k + 1 if object k has the largest share, 0 if the background has it.

    Objects that are not `believed` count as background; if two have the same share, the first owns the pixel.
    """
    objects = shares[:, 1:] * believed[:, :, None, None]
    background = 1 - objects.sum(1, keepdim=True)
    return torch.cat([background, objects], 1).argmax(1)
