"""How like the picture is what the model draws of it?"""

from torch import Tensor

from motes.ops.metrics import psnr, ssim
from motes.ops.types import Image


def reconstruction_scores(drawn: Image, wanted: Image) -> dict[str, Tensor]:
    """One number a picture."""
    return {"psnr": psnr(drawn, wanted), "ssim": ssim(drawn, wanted)}
