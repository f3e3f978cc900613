"""How much of the picture each particle explains, and where doubt begins; without labels."""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.ops.rendering.composite import shares
from motes.ops.rendering.glimpse import Windows, canvas_index


def visible_contrast(
    windows: Windows,
    presence: Float[Tensor, "B K"],
    log_variance: Float[Tensor, "B K 2"],
    background: Float[Tensor, "B C H W"],
) -> Float[Tensor, "B K"]:
    """log of what a particle changes: sum over its visible pixels of share * |colour - background|^2, times
    the part of its alpha that is visible to the fourth power, less for a vague place.

    A particle that is absent, transparent, or painted like the background behind it explains nothing; one
    that stands behind another and only shows around its rim explains little that the other does not. The
    standard deviation of the place counts as a divisor: what may be anywhere in the picture is evidence for
    no place.
    """
    side = windows.pixels.shape[-1]
    canvas = (background.shape[2], background.shape[3])
    share = shares(windows, presence, canvas)
    index = rearrange(canvas_index(windows.corner, side, canvas), "b k n -> b 1 (k n)").expand(
        -1, background.shape[1], -1
    )
    flat = rearrange(F.pad(background, (side,) * 4), "b c h w -> b c (h w)")
    behind = rearrange(flat.gather(2, index), "b c (k r s) -> b k c r s", k=presence.shape[1], r=side)
    change = share * (windows.pixels[:, :, 1:] - behind).square().sum(2)
    spread = 1 + log_variance.exp().sum(-1).sqrt() * 4
    visible = share.sum((2, 3)) / (windows.pixels[:, :, 0] * presence[..., None, None]).sum((2, 3)).clamp_min(
        1e-6
    )
    return torch.log(change.sum((2, 3)) * visible**4 / spread + 0.3)


def evidence_threshold(evidence: Float[Tensor, "n"], bins: int = 64) -> Float[Tensor, ""]:
    """Where to cut a sample in two so that the parts differ most (Otsu 1979,
    https://doi.org/10.1109/TSMC.1979.4310076).

    A sample that does not fall in two parts (its cut explains less than 70 % of the variance) is not cut:
    every particle counts.
    """
    edges = torch.linspace(
        float(evidence.min()), float(evidence.max()) + 1e-6, bins + 1, device=evidence.device
    )
    below = (evidence[:, None] < edges[1:-1]).float().mean(0)
    total = evidence.mean()
    lower = torch.where(
        evidence[:, None] < edges[1:-1], evidence[:, None], torch.zeros_like(evidence[:, None])
    ).mean(0)
    between = (total * below - lower).square() / (below * (1 - below)).clamp_min(1e-6)
    best = between.argmax()
    if between[best] < 0.7 * evidence.var(correction=0):
        return edges[0]
    return edges[best + 1]
