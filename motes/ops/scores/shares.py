"""From every thing's share of each pixel, the ground's first, to one owner a pixel and one box a thing."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.ops.rendering.footprints import windows_of_masks

HIDDEN = 0.05  # a thing that has no larger share of any pixel is not seen


def owners_of(shares: Float[Tensor, "B A H W"], believed: Bool[Tensor, "B K"]) -> Int[Tensor, "B H W"]:
    """k + 1 where thing k has the largest share of a pixel, 0 where the ground has it. What is not believed in
    counts as ground; where two things have the same share, the first owns the pixel."""
    things = shares[:, 1:] * believed[:, :, None, None]
    ground = 1 - things.sum(1, keepdim=True)
    return torch.cat([ground, things], 1).argmax(1)


def boxes_of(shares: Float[Tensor, "B A H W"]) -> tuple[Float[Tensor, "B K 4"], Bool[Tensor, "B K"]]:
    """Each thing's box, its ends exclusive, and whether anything of it is to be seen.

    The box holds the pixels whose share is at least half of the thing's largest. Half of the largest, not of one:
    things that are drawn faint all over have borders too.
    """
    things = shares[:, 1:]
    largest = things.amax((2, 3))
    solid = (things >= largest[..., None, None] / 2) & (things > 0)
    return windows_of_masks(solid), largest > HIDDEN
