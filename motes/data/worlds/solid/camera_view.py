"""How a camera sees points and solids: the directions of its rays, projection, and the rays near each solid.

Only rays that can meet a solid are tested against it: those in the window of its outline, or of its shadow.
As long as no window is too small, this choice changes no pixel.
"""

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class CameraView:
    """A camera and a lamp for each picture."""

    eye: Float[Tensor, "B 3"]
    # to the right, up, ahead
    axes: Float[Tensor, "B 3 3"]
    lamp: Float[Tensor, "B 3"]
    # rows, columns of the picture
    size: tuple[int, int]
    # of half the angle of the shorter side
    tangent: float
    # rays a pixel's side
    fine: int


@dataclass(frozen=True)
class SolidRayPairs:
    """Pairs of a solid and a ray of the camera that may meet it."""

    # flat index over pictures and solids
    solid: Int[Tensor, " P"]
    # index in the ray's picture
    ray: Int[Tensor, " P"]
    picture: Int[Tensor, " P"]


def ray_directions(view: CameraView) -> Float[Tensor, "B 3 R"]:
    """The directions of all rays, scaled to length 1 ahead; R = rows x columns, with `fine` rays a pixel's
    side."""
    right, up = _offsets(view)
    axes = view.axes[..., None, None]
    return rearrange(axes[:, 0] * right + axes[:, 1] * up[:, None] + axes[:, 2], "b c h w -> b c (h w)")


def _offsets(view: CameraView) -> tuple[Float[Tensor, " columns"], Float[Tensor, " rows"]]:
    """How far rays point to the right and up from the picture's middle, at distance 1 ahead."""
    rows, columns = (side * view.fine for side in view.size)
    step = view.tangent / (min(view.size) * view.fine / 2)
    up = (rows / 2 - 0.5 - torch.arange(rows, device=view.eye.device)) * step
    return (torch.arange(columns, device=view.eye.device) - columns / 2 + 0.5) * step, up


def project(points: Float[Tensor, "B N P 3"], view: CameraView) -> Float[Tensor, "B N P 3"]:
    """Points in the world as the camera sees them: row and column in pixels from the picture's corner, and
    depth."""
    offset = points - view.eye[:, None, None]
    right, up, ahead = ((offset * view.axes[:, axis, None, None]).sum(-1) for axis in range(3))
    ahead = ahead.clamp_min(0.1)
    scale = min(view.size) / 2 / view.tangent
    row = view.size[0] / 2 - scale * up / ahead
    column = view.size[1] / 2 + scale * right / ahead
    return torch.stack([row, column, ahead], -1)


def pairs_in_windows(
    corners: Float[Tensor, "B N P 3"], present: Bool[Tensor, "B N"], view: CameraView
) -> SolidRayPairs:
    """The pairs of each solid with every ray in the window around its projected corners."""
    solid, ray = _rays_in(_windows(project(corners, view), present, view), view)
    return SolidRayPairs(solid, ray, floor_divide(solid, present.shape[1]))


def _windows(
    corners: Float[Tensor, "B N P 3"], present: Bool[Tensor, "B N"], view: CameraView
) -> Int[Tensor, "M 4"]:
    """The window of each solid in rays: first row and column, and last ones plus one.

    It holds all corners and one ray around them.
    """
    position = corners[..., :2] * view.fine
    end = torch.tensor(view.size, device=position.device) * view.fine
    low = (position.amin(2).floor().long() - 1).clamp_min(0).minimum(end)
    high = (position.amax(2).ceil().long() + 1).clamp_min(0).minimum(end)
    return rearrange(torch.cat([low, torch.where(present[..., None], high, low)], -1), "b n s -> (b n) s")


def _rays_in(windows: Int[Tensor, "M 4"], view: CameraView) -> tuple[Int[Tensor, " P"], Int[Tensor, " P"]]:
    """For every ray of every window, the index of the window and the index of the ray."""
    rows, columns = (windows[:, 2:] - windows[:, :2]).unbind(1)
    counts = rows * columns
    window = torch.repeat_interleave(counts)
    local = torch.arange(len(window), device=windows.device) - (counts.cumsum(0) - counts)[window]
    row = floor_divide(local, columns[window])
    column = local - row * columns[window]
    first_row, first_column = windows[:, :2].mT[:, window]
    return window, (first_row + row) * (view.size[1] * view.fine) + first_column + column


def floor_divide(a: Tensor, b: Tensor | int) -> Tensor:
    return torch.div(a, b, rounding_mode="floor")
