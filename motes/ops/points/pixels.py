"""Where particles and true points lie in pixels: each has a rule of its own, and the two differ.

In pixels, i is the middle of pixel i. A particle's -1 and 1 are the edges of the picture, because that is
where `motes.ops.rendering.glimpse` lays its window. The truth's -1 and 1 are the middles of the outermost
pixels. Read by the other's rule, a place near the rim would be half a pixel off.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def pixels_of_positions(position: Float[Tensor, "... 2"], size: tuple[int, int]) -> Float[Tensor, "... 2"]:
    """The middle, in pixels, of a window that is drawn at this position: (z + 1) N / 2 - 1/2."""
    return (position + 1) * _sides(size, position) / 2 - 0.5


def positions_of_pixels(pixels: Float[Tensor, "... 2"], size: tuple[int, int]) -> Float[Tensor, "... 2"]:
    """The position of a window whose middle is at these pixels; the inverse of `pixels_of_positions`."""
    return (pixels + 0.5) * 2 / _sides(size, pixels) - 1


def pixels_of_points(points: Float[Tensor, "... 2"], size: tuple[int, int]) -> Float[Tensor, "... 2"]:
    """The truth's centres and landmarks in pixels: (c + 1) (N - 1) / 2."""
    return (points + 1) * (_sides(size, points) - 1) / 2


def points_of_pixels(pixels: Float[Tensor, "... 2"], size: tuple[int, int]) -> Float[Tensor, "... 2"]:
    """Pixels in the coordinates of the truth; the inverse of `pixels_of_points`."""
    return 2 * pixels / (_sides(size, pixels) - 1).clamp_min(1) - 1


def _sides(size: tuple[int, int], like: Tensor) -> Float[Tensor, "2"]:
    return torch.tensor(size, dtype=like.dtype, device=like.device)
