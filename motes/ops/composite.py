"""Layer the particles' windows over a background: saturating, in order, the first in front."""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.ops.glimpse import Windows, canvas_index


def stitch(
    windows: Windows, presence: Float[Tensor, "B K"], background: Float[Tensor, "B C H W"]
) -> tuple[Float[Tensor, "B C H W"], Float[Tensor, "B K s s"]]:
    """The picture, and the share of each window's pixels that its particle got. Channel 0 of the windows is alpha.

    a_k = presence_k alpha_k;  e_k = min(1 - sum_{j<k} e_j, a_k), predecessors without gradient;  x = sum_k e_k c_k + (1 - sum_k e_k) b.
    """
    side, canvas = windows.pixels.shape[-1], (background.shape[2], background.shape[3])
    index = canvas_index(windows.corner, side, canvas)
    share = rearrange(shares(windows, presence, canvas), "b k r s -> b k (r s)")
    colour = rearrange(windows.pixels[:, :, 1:], "b k c r s -> b c k (r s)")
    painted = torch.cat([share[:, None], share[:, None] * colour], 1)
    layers = _add_windows(painted, index, side, canvas)
    picture = layers[:, 1:] + (1 - layers[:, :1].clamp(0, 1)) * background
    return picture, rearrange(share, "b k (r s) -> b k r s", r=side)


def shares(windows: Windows, presence: Float[Tensor, "B K"], canvas: tuple[int, int]) -> Float[Tensor, "B K s s"]:
    """Alpha times presence, as far as the particles in front leave room."""
    side = windows.pixels.shape[-1]
    alpha = rearrange(windows.pixels[:, :, 0], "b k r s -> b k (r s)") * presence[..., None]
    room = _room(alpha.detach(), canvas_index(windows.corner, side, canvas), side, canvas)
    return rearrange(torch.minimum(alpha, room), "b k (r s) -> b k r s", r=side)


def _room(alpha: Float[Tensor, "B K n"], index: Tensor, side: int, canvas) -> Float[Tensor, "B K n"]:
    """What the particles in front leave of each pixel. The one loop over particles: it carries a single value a pixel."""
    free = alpha.new_ones(len(alpha), (canvas[0] + 2 * side) * (canvas[1] + 2 * side))
    room = torch.empty_like(alpha)
    for k in range(alpha.shape[1]):
        here = free.gather(1, index[:, k])
        room[:, k] = here
        free.scatter_(1, index[:, k], here - torch.minimum(here, alpha[:, k]))
    return room


def _add_windows(painted: Float[Tensor, "B C K n"], index: Tensor, side: int, canvas) -> Float[Tensor, "B C H W"]:
    batch, channels = painted.shape[:2]
    height, width = canvas[0] + 2 * side, canvas[1] + 2 * side
    flat = rearrange(index, "b k n -> b 1 (k n)").expand(-1, channels, -1)
    sheet = painted.new_zeros(batch, channels, height * width).scatter_add(2, flat, rearrange(painted, "b c k n -> b c (k n)"))
    return F.pad(rearrange(sheet, "b c (h w) -> b c h w", h=height), (-side,) * 4)
