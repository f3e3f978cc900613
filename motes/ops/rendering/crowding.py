"""What stands in a particle's window already: bumps at the particles that come before it."""

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.ops.rendering.glimpse import canvas_index, corner_and_fraction, narrowed


def yielding(
    presence: Float[Tensor, "B K"], position: Float[Tensor, "B K 2"], canvas: tuple[int, int], width: float
) -> Float[Tensor, "B K"]:
    """Presence, less where an earlier particle stands at the same place: p_k prod_{j<k} (1 - p_j exp(-|s_k -
    s_j|^2 / 2 width^2)), in pixels; the product without gradient. Two that see one thing would else share it
    by halves, for good."""
    with torch.no_grad():
        pixels = position * torch.tensor(canvas, device=position.device) / 2
        near = torch.exp(-torch.cdist(pixels, pixels).square() / (2 * width**2))
        room = (1 - (near * presence[:, None]).tril(-1)).prod(2)
    return presence * room


@torch.no_grad()
def claimed_before(
    position: Float[Tensor, "B K 2"], side: int, canvas: tuple[int, int], width: float
) -> Float[Tensor, "B K S S"]:
    """For each particle's S x S window, the sum of Gaussian bumps (`width` pixels wide, cut off where their
    own windows end) at the particles of a smaller index, at most 1. As in `composite`, one sheet a picture
    is carried from particle to particle; no pair of particles is ever looked at, so a thousand cost a
    thousand windows."""
    corner, fraction = corner_and_fraction(position, side, canvas)
    steps = torch.arange(side + 1, device=position.device) - (side - 1) / 2
    profile = torch.exp(-((steps - fraction[..., None]) / width).square() / 2)
    bumps = rearrange(profile[:, :, 0, :, None] * profile[:, :, 1, None, :], "b k r s -> b k (r s)")
    index = canvas_index(corner, side + 1, canvas)
    sheet = position.new_zeros(len(position), (canvas[0] + 2 * side + 2) * (canvas[1] + 2 * side + 2))
    found = torch.empty_like(bumps)
    for k in range(position.shape[1]):
        here = sheet.gather(1, index[:, k])
        found[:, k] = here
        sheet.scatter_(1, index[:, k], here + bumps[:, k])
    windows = rearrange(found.clamp_max_(1), "b k (r s) -> b k r s 1", r=side + 1)
    far = fraction[..., None]
    return narrowed(narrowed(windows, 1 - far[:, :, 0], far[:, :, 0], 2), 1 - far[:, :, 1], far[:, :, 1], 3)[
        ..., 0
    ]
