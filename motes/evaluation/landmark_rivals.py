"""The rival of the landmark scores that knows nothing of particles. It belongs to `landmarks`.

Pixels are the principal components of small pictures: as many as the particles' largest reading has numbers,
read by the same linear map with the same choice of penalty. Particles that are no better than that say where the landmarks are no
better than the pixels do.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from motes.evaluation.question import Measured
from motes.ops.densities.principal_components import components_of_pictures
from motes.types.latents import Image

SIDE = 32  # of the small pictures, at most
LEAST = 10  # components
PICTURES = 2000  # from which components are computed, at most: the time grows with the cube


def small_pictures(image: Image) -> UInt8[Tensor, "B C h w"]:
    """The pictures with sides of at most 32 pixels, in bytes, because those of a whole split are kept."""
    sides = (min(image.shape[2], SIDE), min(image.shape[3], SIDE))
    return (F.adaptive_avg_pool2d(image.float(), sides).clamp(0, 1) * 255).round().byte()


class Pixels:
    """Principal components of the pictures to learn from.

    Arguments:
        learn: has the small pictures as "picture".
        count: how many components, but at least 10, and fewer than there are pictures.
    """

    def __init__(self, learn: Measured, count: int):
        pictures = learn["picture"]
        chosen = torch.linspace(0, len(pictures) - 1, min(len(pictures), PICTURES)).round().long()
        flat = _flat(pictures[chosen])
        self.middle = flat.mean(0)
        most = min(max(count, LEAST), max(len(flat) - 1, 1), flat.shape[1])
        self.axes = components_of_pictures(flat - self.middle, most).axes

    def columns(self, measured: Measured) -> Float[Tensor, "B n"]:
        parts = [(_flat(part) - self.middle) @ self.axes for part in measured["picture"].split(PICTURES)]
        return torch.cat(parts)


def _flat(pictures: UInt8[Tensor, "B C h w"]) -> Float[Tensor, "B P"]:
    return pictures.flatten(1).double() / 255
