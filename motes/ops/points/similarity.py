"""Pictures shifted, zoomed, turned and lit by five given numbers, the same for a picture and for its mask.

The numbers, B 5, are the shifts down and to the right in half pictures, the log of the zoom, the clockwise
rotation in radians, and the log of the light. Zeros change nothing.
"""

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.ops.points.warp import even_points, resampled
from motes.types.latents import Image

NUMBERS = 5
DOWN, RIGHT, ZOOM, TURN, LIGHT = range(NUMBERS)


def placed(image: Image, numbers: Float[Tensor, "B 5"], outside: str = "border") -> Image:
    """The picture shifted, zoomed and turned about its middle; its light does not change."""
    rows, columns = image.shape[-2:]
    # or a turn would shear what is not square
    sides = image.new_tensor([rows, columns]) / min(rows, columns)
    after = even_points((rows, columns), image)[None] - numbers[:, None, [DOWN, RIGHT]]
    before = _turned_back(after * sides, numbers) / sides
    return resampled(image, before, outside)


def _turned_back(points: Float[Tensor, "B N 2"], numbers: Float[Tensor, "B 5"]) -> Float[Tensor, "B N 2"]:
    """The positions of points before the rotation and the zoom."""
    down, right = points.unbind(-1)
    zoom = numbers[:, ZOOM, None].exp()
    cosine = numbers[:, TURN, None].cos() / zoom
    sine = numbers[:, TURN, None].sin() / zoom
    return torch.stack([cosine * down - sine * right, sine * down + cosine * right], -1)


def lit(image: Image, mask: Float[Tensor, "B 1 H W"], numbers: Float[Tensor, "B 5"]) -> Image:
    """The picture, with the pixels that the mask covers made brighter or darker."""
    change = rearrange(numbers[:, LIGHT].exp() - 1, "b -> b 1 1 1")
    return (image * (1 + mask * change)).clamp(0, 1)
