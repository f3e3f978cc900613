"""Numbers for reports, one a picture."""

import torch
from jaxtyping import Float
from torch import Tensor


def psnr(drawn: Float[Tensor, "B C H W"], wanted: Float[Tensor, "B C H W"]) -> Float[Tensor, "B"]:
    """Peak signal to noise in decibels, of pictures in [0, 1]: -10 log10 of the mean squared error."""
    return -10 * torch.log10((drawn.clamp(0, 1) - wanted).square().mean((1, 2, 3)).clamp_min(1e-10))
