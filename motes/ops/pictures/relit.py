"""Pictures in other light, as another camera might have taken them: for points that light must not move."""

import torch
from jaxtyping import Float
from torch import Tensor

from motes.ops.densities.noise import normal_like, uniform_like
from motes.types.latents import Image

# standard deviations: of the logarithms of gains, of all colours and of each, and of the exponent; of the offset; of a slope
# from one side to the other; and the largest of the noise
GAIN = 0.25
TINT = 0.15
GAMMA = 0.25
OFFSET = 0.08
SLOPE = 0.3
NOISE = 0.04


def relit(image: Image) -> Float[Tensor, "B C H W"]:
    """Each picture with another brightness, colour and contrast, lit from a side, and noisy; not kept in [0, 1]."""
    scalar = image[:, :1, :1, :1]
    gain = torch.exp(GAIN * normal_like(scalar) + TINT * normal_like(image[:, :, :1, :1]))
    curved = image.clamp_min(1e-4) ** torch.exp(GAMMA * normal_like(scalar))
    rows, columns = (torch.linspace(-1, 1, side, device=image.device) for side in image.shape[2:])
    slope = SLOPE * (normal_like(scalar) * rows[:, None] + normal_like(scalar) * columns)
    lit = (curved * gain + OFFSET * normal_like(scalar)) * (1 + slope).clamp(0.2, 2)
    return lit + NOISE * uniform_like(scalar) * normal_like(image)
