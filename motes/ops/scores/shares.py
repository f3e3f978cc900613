"""From the shares of each pixel to one owner per pixel, and one box per object; the background's share is
first."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.ops.rendering.footprints import windows_of_masks

HIDDEN = 0.05  # an object that has no larger share of any pixel is not visible


def owners_of(shares: Float[Tensor, "B A H W"], believed: Bool[Tensor, "B K"]) -> Int[Tensor, "B H W"]:
    """The owner of each pixel: k + 1 if object k has the largest share, 0 if the background has it.

    Objects that are not `believed` count as background; if two have the same share, the first owns the pixel.
    """
    objects = shares[:, 1:] * believed[:, :, None, None]
    background = 1 - objects.sum(1, keepdim=True)
    return torch.cat([background, objects], 1).argmax(1)


def boxes_of_shares(shares: Float[Tensor, "B A H W"]) -> tuple[Float[Tensor, "B K 4"], Bool[Tensor, "B K"]]:
    """Each object's box, its ends exclusive, and whether anything of the object is visible.

    The box encloses the pixels whose share is at least half of the object's largest share. It is not half of
    one, because objects that are drawn faint all over have borders too.
    """
    objects = shares[:, 1:]
    largest = objects.amax((2, 3))
    solid = (objects >= largest[..., None, None] / 2) & (objects > 0)
    return windows_of_masks(solid), largest > HIDDEN
