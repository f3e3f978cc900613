"""The light of pictures of one scene: a gain and an offset for each picture and colour."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from motes.ops.exporting import is_exporting

ROUNDS = 3
# the fit looks at pictures shrunk to about this many pixels a side
FITTED_SIDE = 32
# variance that counts for a gain of 1: on a background of one colour, gain and offset cannot be told apart
PRIOR_VARIANCE = 1e-3
# below this residual every pixel counts as background
CLOSE = 0.01


@dataclass(frozen=True)
class PictureLight:
    """How much brighter each picture is than the background that it shows."""

    gain: Float[Tensor, "N C 1 1"]
    offset: Float[Tensor, "N C 1 1"]

    def on(self, background: Float[Tensor, "C H W"]) -> Float[Tensor, "N C H W"]:
        """The background as each picture's light shows it."""
        return self.gain * background + self.offset

    def removed(self, pictures: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C H W"]:
        """The pictures in the background's own light."""
        return (pictures - self.offset) / self.gain.clamp_min(0.1)


def light_of(pictures: Float[Tensor, "N C H W"], background: Float[Tensor, "C H W"]) -> PictureLight:
    """The light of each picture, fitted to the pixels that show the background.

    Weighted least squares, repeated: a pixel counts while its residual is at most twice the picture's median.
    """
    shown = _small(pictures)
    base = _small(background[None])
    offset = _median(shown - base)
    gain = torch.ones_like(offset)
    for _ in range(ROUNDS):
        residual = (shown - gain * base - offset).abs().amax(1, keepdim=True)
        limit = 2 * _median(residual) + CLOSE
        weight = (residual < limit).to(shown)
        weight = weight / weight.sum(-1, keepdim=True)
        mean_base = (weight * base).sum(-1, keepdim=True)
        mean_shown = (weight * shown).sum(-1, keepdim=True)
        covariance = (weight * (base - mean_base) * (shown - mean_shown)).sum(-1, keepdim=True)
        variance = (weight * (base - mean_base).square()).sum(-1, keepdim=True)
        gain = (covariance + PRIOR_VARIANCE) / (variance + PRIOR_VARIANCE)
        offset = mean_shown - gain * mean_base
    return PictureLight(gain[..., None], offset[..., None])


def _median(values: Float[Tensor, "N c P"]) -> Float[Tensor, "N c 1"]:
    """The median of each row, the lower one of two."""
    if is_exporting():
        # ONNX knows no median
        middle = (values.shape[-1] - 1) // 2
        return values.sort(-1).values[..., middle : middle + 1]
    return values.median(-1, keepdim=True).values


def _small(pictures: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C P"]:
    factor = max(min(pictures.shape[-2:]) // FITTED_SIDE, 1)
    return F.avg_pool2d(pictures, factor).flatten(2)
