"""How much of the picture each particle explains (its evidence), and a threshold for it, without labels."""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.ops.rendering.composite import shares
from motes.ops.rendering.glimpse import Windows, canvas_index
from motes.types.latents import Image


def visible_contrast(
    windows: Windows,
    presence: Float[Tensor, "B K"],
    log_variance: Float[Tensor, "B K 2"],
    background: Image,
    unit: float | Tensor = 1.0,
) -> Float[Tensor, "B K"]:
    """The evidence of each particle: the log of how much it changes the picture, less for an uncertain
    position.

    The change is the sum over its visible pixels of share * |colour - background|^2, times the visible part
    of its alpha to the fourth power.

    A particle that is absent, transparent, or painted like the background behind it explains nothing; one
    that stands behind another and only shows around its rim explains little that the other does not. The
    change is divided by the standard deviation of the position: what may be anywhere in the picture is
    evidence for no position.
    """
    share = shares(windows, presence, (background.shape[2], background.shape[3]))
    behind = _background_in(windows, background)
    change = share * (windows.pixels[:, :, 1:] - behind).square().sum(2)
    spread = 1 + log_variance.exp().sum(-1).sqrt() * 4
    alpha = windows.pixels[:, :, 0] * presence[..., None, None]
    visible = share.sum((2, 3)) / alpha.sum((2, 3)).clamp_min(1e-6)
    return torch.log(change.sum((2, 3)) / unit * visible**4 / spread + 0.3)


def evidence_threshold(evidence: Float[Tensor, "n"], bins: int = 64) -> Float[Tensor, ""]:
    """The threshold that splits a sample into the two parts that differ most (Otsu).

    Otsu 1979, https://doi.org/10.1109/TSMC.1979.4310076. If the split explains less than 70 % of the
    variance, the sample is not split: every particle counts.
    """
    low = float(evidence.min())
    high = float(evidence.max()) + 1e-6
    edges = torch.linspace(low, high, bins + 1, device=evidence.device)
    variances = _variances_between(evidence, edges[1:-1])
    best = variances.argmax()
    if variances[best] < 0.7 * evidence.var(correction=0):
        return edges[0]
    return edges[best + 1]


def _variances_between(evidence: Float[Tensor, "n"], cuts: Float[Tensor, "m"]) -> Float[Tensor, "m"]:
    """The variance between the two parts of the sample, for each place to cut it."""
    values = evidence[:, None]
    below = (values < cuts).float().mean(0)
    lower = torch.where(values < cuts, values, torch.zeros_like(values)).mean(0)
    return (evidence.mean() * below - lower).square() / (below * (1 - below)).clamp_min(1e-6)


def _background_in(windows: Windows, background: Image) -> Float[Tensor, "B K C s s"]:
    """The background behind each window; zeros outside the picture."""
    channels, rows, columns = background.shape[1:]
    side = windows.pixels.shape[-1]
    flat = rearrange(F.pad(background, (side,) * 4), "b c h w -> b c (h w)")
    index = rearrange(canvas_index(windows.corner, side, (rows, columns)), "b k n -> b 1 (k n)")
    behind = flat.gather(2, index.expand(-1, channels, -1))
    return rearrange(behind, "b c (k r s) -> b k c r s", r=side, s=side)
