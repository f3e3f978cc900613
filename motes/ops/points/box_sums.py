"""Sums of maps over many boxes at once, and over the borders of these boxes, from integral images."""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor


def integral_with_borders(maps: Float[Tensor, "B D H W"]) -> Float[Tensor, "B h w d"]:
    """Sums of the maps over all above and left of each pixel's corner; two more channels are of the borders.

    Those are sums along the lines that lead to the corner from above and from the left, of what the first map has on
    both sides of the line.
    """
    above, left = _summing(maps)
    first = maps[:, 0]
    across_columns = F.pad(torch.minimum(first[..., :-1], first[..., 1:]), (1, 1))
    across_rows = F.pad(torch.minimum(first[:, :-1], first[:, 1:]), (0, 0, 1, 1))
    borders = torch.stack([above @ across_columns, across_rows @ left], 1)
    # channels last, so that a corner is one read
    return rearrange(torch.cat([above @ maps @ left, borders], 1), "b d h w -> b h w d").contiguous()


def sums_of_boxes(
    integral: Float[Tensor, "B h w d"], corners: Int[Tensor, "B n 4"]
) -> tuple[Float[Tensor, "B n D"], Float[Tensor, "B n"]]:
    """The sums of the maps in each box, and along its four borders the amounts that both sides have.

    `corners`: first row and column, and the ones after the last.
    """
    height, width = integral.shape[1:3]
    of_picture = torch.arange(integral.shape[0], device=integral.device)[:, None] * (height * width)
    top, left, bottom, right = corners.unbind(-1)
    ends = torch.stack(
        [top * width + left, top * width + right, bottom * width + left, bottom * width + right]
    )
    read = integral.flatten(0, 2).index_select(0, (ends + of_picture).flatten())
    top_left, top_right, bottom_left, bottom_right = read.view(4, *corners.shape[:2], -1)
    inside = (bottom_right + top_left - top_right - bottom_left)[..., :-2]
    upright = (bottom_right - top_right + bottom_left - top_left)[..., -2]
    level = (bottom_right - bottom_left + top_right - top_left)[..., -1]
    return inside, upright + level


def _summing(like: Float[Tensor, "B D H W"]) -> tuple[Float[Tensor, "h H"], Float[Tensor, "W w"]]:
    """What sums all above and all left of each pixel's corner, as products: faster than cumsum along two axes."""
    height, width = like.shape[-2:]
    above = torch.ones(height + 1, height, device=like.device).tril(-1)
    left = torch.ones(width, width + 1, device=like.device).triu(1)
    return above, left
