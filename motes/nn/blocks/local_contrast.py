"""LocalContrast: what stands out from its surroundings, whatever the colour and the light there."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError

FLOOR = 0.05  # of the deviation, in units of brightness: what differs less is noise, and stays small


class LocalContrast(nn.Module):
    """(x - mean) / (deviation + floor) of the light, over a window around each pixel (Jarrett et al. 2009,
    https://doi.org/10.1109/ICCV.2009.5459469): lines and spots stay; colours, shades and wide areas go."""

    def __init__(self, side: int):
        super().__init__()
        if side < 3 or side % 2 == 0:
            raise UserError(f"contrast wants an odd number of pixels from 3 up, not {side}")
        self.side = side

    def forward(self, image: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 1 H W"]:
        light = image.mean(1, keepdim=True)
        apart = light - self._around(light)
        return apart / (self._around(apart.square()).sqrt() + FLOOR)

    def _around(self, values: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B 1 H W"]:
        return F.avg_pool2d(F.pad(values, (self.side // 2,) * 4, mode="replicate"), self.side, 1)
