"""Thin-plate splines: smooth maps of the picture onto itself, and pictures seen through them.

A map says for every pixel of the new picture where in the old one to look: basis @ weights. The first weights bend, one for each
point of a square control grid over [-1, 1]^2; the last three are affine: a shift, and where rows and columns point.
"""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor


def thin_plate_basis(points: Float[Tensor, "n 2"], side: int) -> Float[Tensor, "n f"]:
    """[U(|p - c|) of all side^2 control points c, 1, p], U(r) = r^2 log(r^2 + 1e-5) (Bookstein 1989, https://doi.org/10.1109/34.24792).

    Points are (row, column).
    """
    square = (points[:, None] - even_points((side, side), points)[None]).square().sum(-1)
    return torch.cat([square * torch.log(square + 1e-5), torch.ones_like(points[:, :1]), points], 1)


def even_points(size: tuple[int, int], like: Tensor) -> Float[Tensor, "n 2"]:
    """(row, column) of `size` points, the first at -1 and the last at 1 along each axis, in order of rows."""
    axes = [torch.linspace(-1, 1, count, dtype=like.dtype, device=like.device) for count in size]
    return rearrange(torch.stack(torch.meshgrid(*axes, indexing="ij")), "two r c -> (r c) two")


def seen_through(image: Float[Tensor, "B C H W"], places: Float[Tensor, "B N 2"], outside: str = "zeros") -> Float[Tensor, "B C H W"]:
    """The picture whose n-th pixel, in order of rows, is the old one's at `places[n]`; beyond its edge as `grid_sample` pads."""
    grid = rearrange(places.flip(-1), "b (h w) two -> b h w two", h=image.shape[2])  # torch wants (column, row)
    return F.grid_sample(image, grid, mode="bilinear", padding_mode=outside, align_corners=True)
