"""LocalContrast: how a pixel differs from its surroundings, independent of their colour and light."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError
from motes.types.latents import Image

FLOOR = 0.05  # of the deviation, in units of brightness: what differs less is noise, and stays small


class LocalContrast(nn.Module):
    """Maps a picture's light to (light - mean) / (deviation + floor), mean and deviation over a window around
    the pixel.

    Lines and spots stay; colours, shades and wide areas vanish (Jarrett et al. 2009,
    https://doi.org/10.1109/ICCV.2009.5459469).
    """

    def __init__(self, side: int):
        super().__init__()
        if side < 3 or side % 2 == 0:
            raise UserError(f"contrast wants an odd number of pixels from 3 up, not {side}")
        self.side = side

    def forward(self, image: Image) -> Float[Tensor, "B 1 H W"]:
        light = image.mean(1, keepdim=True)
        deviation = light - self._mean_around(light)
        return deviation / (self._mean_around(deviation.square()).sqrt() + FLOOR)

    def _mean_around(self, values: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B 1 H W"]:
        return F.avg_pool2d(F.pad(values, (self.side // 2,) * 4, mode="replicate"), self.side, 1)
