"""How much of a particle's window earlier particles claim, and presence lowered accordingly."""

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from motes.ops.rendering.blending import blend_matrix, cutting_blend
from motes.ops.rendering.glimpse import canvas_index, corner_and_fraction, narrowed
from motes.ops.rendering.placement import without_autocast


def yielding(
    presence: Float[Tensor, "B K"], position: Float[Tensor, "B K 2"], canvas: tuple[int, int], width: float
) -> Float[Tensor, "B K"]:
    """Presence, lowered where an earlier particle stands at the same place.

    It is p_k prod_{j<k} (1 - p_j exp(-|s_k - s_j|^2 / 2 width^2)), for presences p and positions s in pixels;
    no gradient flows through the product. Otherwise two particles on the same object would each keep half of
    it for good.
    """
    with torch.no_grad():
        pixels = position * torch.tensor(canvas, device=position.device) / 2
        near = torch.exp(-torch.cdist(pixels, pixels).square() / (2 * width**2))
        room = (1 - (near * presence[:, None]).tril(-1)).prod(2)
    return presence * room


def yielding_scaled(
    presence: Float[Tensor, "B K"],
    position: Float[Tensor, "B K 2"],
    scale: Float[Tensor, "B K 2"],
    canvas: tuple[int, int],
    width: float,
) -> Float[Tensor, "B K"]:
    """As `yielding`, where each particle asks later ones for room within `width` times its own scale."""
    with torch.no_grad():
        pixels = position * torch.tensor(canvas, device=position.device) / 2
        # a row for each later particle, a column for each earlier one
        offset = (pixels[:, :, None] - pixels[:, None]) / (width * scale[:, None])
        near = torch.exp(-offset.square().sum(-1) / 2)
        room = (1 - (near * presence[:, None]).tril(-1)).prod(2)
    return presence * room


@torch.no_grad()
def claimed_before(
    position: Float[Tensor, "B K 2"], side: int, canvas: tuple[int, int], width: float
) -> Float[Tensor, "B K S S"]:
    """For each particle's S x S window, the sum of Gaussian bumps at the particles of a smaller index, at
    most 1.

    Bumps are `width` pixels wide and cut off where their own windows end. As in `composite`, one sheet per
    picture is carried from particle to particle; pairs of particles are never compared, so a thousand
    particles cost a thousand windows.
    """
    corner, fraction = corner_and_fraction(position, side, canvas)
    index = canvas_index(corner, side + 1, canvas)
    sheet = position.new_zeros(position.shape[0], (canvas[0] + 2 * side + 2) * (canvas[1] + 2 * side + 2))
    claimed = _sums_before(_bumps(fraction, side, width), index, sheet)
    windows = rearrange(claimed.clamp_max_(1), "b k (r s) -> b k r s 1", r=side + 1)
    far = fraction[..., None]
    rows = narrowed(windows, 1 - far[:, :, 0], far[:, :, 0], 2)
    return narrowed(rows, 1 - far[:, :, 1], far[:, :, 1], 3)[..., 0]


@torch.no_grad()
def claimed_scaled(
    position: Float[Tensor, "B K 2"],
    scale: Float[Tensor, "B K 2"],
    side: int,
    canvas: tuple[int, int],
    width: float,
) -> Float[Tensor, "B K S S"]:
    """As `claimed_before`, in windows that are `scale` times `side` pixels long; zero outside the picture.

    A particle's bump is `width` times its scale wide, is not cut off, and is read by each window at its own scale.
    Each particle costs a visit of the whole sheet.
    """
    claimed = position.new_zeros(*position.shape[:2], side, side)
    sheet = position.new_zeros(position.shape[0], *canvas)
    half = torch.tensor(canvas, device=position.device) / 2
    start = 0.5 - half - position * half
    axes = [(start[..., axis], scale[..., axis], full) for axis, full in enumerate(canvas)]
    rows, columns = (blend_matrix(cutting_blend(begin, size), side, full).mT for begin, size, full in axes)
    tall, wide = (_profile(begin / (width * size), 1 / (width * size), full) for begin, size, full in axes)
    with without_autocast(position):
        for k in range(position.shape[1]):
            claimed[:, k] = rows[:, k] @ sheet.clamp_max(1) @ columns[:, k].mT
            sheet.baddbmm_(tall[:, k, :, None], wide[:, k, None])
    return claimed


def _profile(start: Float[Tensor, "B K"], step: Float[Tensor, "B K"], count: int) -> Float[Tensor, "B K n"]:
    """A Gaussian along one axis, where the first pixel and a step are counted in its widths."""
    pixels = torch.arange(count, device=start.device)
    return torch.exp(-(start[..., None] + step[..., None] * pixels).square() / 2)


def _bumps(fraction: Float[Tensor, "B K 2"], side: int, width: float) -> Float[Tensor, "B K n"]:
    """A Gaussian at each particle, on the pixels of its window."""
    steps = torch.arange(side + 1, device=fraction.device) - (side - 1) / 2
    profile = torch.exp(-((steps - fraction[..., None]) / width).square() / 2)
    return rearrange(profile[:, :, 0, :, None] * profile[:, :, 1, None, :], "b k r s -> b k (r s)")


def _sums_before(
    bumps: Float[Tensor, "B K n"], index: Int[Tensor, "B K n"], sheet: Float[Tensor, "B p"]
) -> Float[Tensor, "B K n"]:
    """The sum of earlier bumps in each window, read from the sheet before the window's own bump is added."""
    before = torch.empty_like(bumps)
    for k in range(bumps.shape[1]):
        window = sheet.gather(1, index[:, k])
        before[:, k] = window
        sheet.scatter_(1, index[:, k], window + bumps[:, k])
    return before
