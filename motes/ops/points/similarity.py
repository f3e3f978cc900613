"""Pictures shifted, zoomed, turned and lit by given numbers: the same five for a picture and for its mask.

The numbers, B 5: down and to the right in half pictures, log of the zoom, turn clockwise in radians, log of
the light. Zeros: as it was.
"""

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.ops.points.warp import even_points, seen_through

NUMBERS = 5
DOWN, RIGHT, ZOOM, TURN, LIGHT = range(NUMBERS)


def placed(
    image: Float[Tensor, "B C H W"], numbers: Float[Tensor, "B 5"], outside: str = "border"
) -> Float[Tensor, "B C H W"]:
    """Where each pixel was before: back by the shift, then back by turn and zoom about the middle; no
    light."""
    rows, columns = image.shape[-2:]
    sides = image.new_tensor([rows, columns]) / min(rows, columns)  # or a turn would shear what is not square
    after = even_points((rows, columns), image)[None] - numbers[:, None, [DOWN, RIGHT]]
    down, right = (after * sides).unbind(-1)
    zoom = numbers[:, ZOOM, None].exp()
    cosine = numbers[:, TURN, None].cos() / zoom
    sine = numbers[:, TURN, None].sin() / zoom
    before = torch.stack([cosine * down - sine * right, sine * down + cosine * right], -1) / sides
    return seen_through(image, before, outside)


def lit(
    image: Float[Tensor, "B C H W"], mask: Float[Tensor, "B 1 H W"], numbers: Float[Tensor, "B 5"]
) -> Float[Tensor, "B C H W"]:
    """What the mask covers, brighter or darker."""
    change = rearrange(numbers[:, LIGHT].exp() - 1, "b -> b 1 1 1")
    return (image * (1 + mask * change)).clamp(0, 1)
