"""From the shares of each pixel, the background's first, to one owner a pixel and one box an object."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.ops.rendering.footprints import windows_of_masks

HIDDEN = 0.05  # an object that has no larger share of any pixel is not visible


def owners_of(shares: Float[Tensor, "B A H W"], believed: Bool[Tensor, "B K"]) -> Int[Tensor, "B H W"]:
    """k + 1 where object k has the largest share of a pixel, 0 where the background has it.

    Objects that are not believed in count as background; where two have the same share, the first owns the
    pixel.
    """
    objects = shares[:, 1:] * believed[:, :, None, None]
    background = 1 - objects.sum(1, keepdim=True)
    return torch.cat([background, objects], 1).argmax(1)


def boxes_of_shares(shares: Float[Tensor, "B A H W"]) -> tuple[Float[Tensor, "B K 4"], Bool[Tensor, "B K"]]:
    """Each object's box, its ends exclusive, and whether anything of it is visible.

    The box holds the pixels whose share is at least half of the object's largest. Half of the largest, not of
    one: objects that are drawn faint all over have borders too.
    """
    objects = shares[:, 1:]
    largest = objects.amax((2, 3))
    solid = (objects >= largest[..., None, None] / 2) & (objects > 0)
    return windows_of_masks(solid), largest > HIDDEN
