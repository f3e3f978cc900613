"""Where windows of any size lie on the canvas, in which groups they are computed, and the numbers of their pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from motes.ops.exporting import is_exporting
from motes.ops.rendering.sizes import SizeGroup, runs_of_groups

Runs = list[list[SizeGroup]]


@dataclass(frozen=True)
class Placement:
    """The first pixel of each window along each axis, the number of its pixels, and the canvas.

    A particle's centre is at pixel position * N / 2 + N / 2 - 1/2. The first pixel may lie outside the canvas;
    windows larger than the canvas are cut down to what may be visible.
    """

    corner: Int[Tensor, "B K 2"]
    count: Int[Tensor, "B K 2"]
    canvas: tuple[int, int]

    @classmethod
    @torch.no_grad()
    def of(
        cls,
        position: Float[Tensor, "B K 2"],
        scale: Float[Tensor, "B K 2"],
        side: int,
        canvas: tuple[int, int],
    ) -> "Placement":
        full = _full(canvas, position)
        reach = (side - 1) / 2 * scale + scale.clamp_min(1)
        first = (position * full / 2 + (full - 1) / 2 - reach).floor() + 1
        count = (2 * reach).ceil()
        corner = torch.maximum(first, (first + count - full - 1).clamp_max(0))
        # what is not a number owns one pixel beyond the canvas: that is no error here
        return cls(corner.long(), torch.minimum(count, full + 1).long().clamp_min(1), canvas)

    def starts(self, position: Float[Tensor, "B K 2"]) -> Float[Tensor, "B K 2"]:
        """Each window's first pixel, seen from the particle's centre."""
        full = _full(self.canvas, position)
        return (self.corner - (full - 1) / 2) - position * full / 2

    def largest(self) -> int:
        """The side of a square that holds any of the windows."""
        if is_exporting():
            return max(self.canvas) + 1
        return int(self.count.max()) if self.count.numel() else 1

    def runs(self) -> Runs:
        """For one run of neighbouring k after the other, groups of windows that are padded to one size."""
        return runs_of_groups(self.count)

    def index(self, group: SizeGroup) -> Int[Tensor, "m"]:
        """The number of each pixel of the group's windows on `bordered` canvases."""
        picture = group.members // self.corner.shape[1]
        corner = self.corner.flatten(0, 1)[group.members]
        earlier = picture[:, None] * bordered_area(self.canvas)
        return border_index(corner, (group.rows, group.columns), self.canvas, earlier).flatten()


def border_index(
    corner: Int[Tensor, "*b 2"],
    sides: tuple[int, int],
    canvas: tuple[int, int],
    earlier: Int[Tensor, "*b 1"] | int = 0,
) -> Int[Tensor, "*b n"]:
    """The number of each pixel of every window on a canvas with a border of one pixel.

    All that lies outside the canvas falls on the border. `earlier` pixels come before the canvas.
    """
    rows = corner[..., 0, None] + torch.arange(sides[0], device=corner.device)
    columns = corner[..., 1, None] + torch.arange(sides[1], device=corner.device)
    first = (rows.clamp(-1, canvas[0]) + 1) * (canvas[1] + 2) + earlier
    flat = first[..., :, None] + (columns.clamp(-1, canvas[1]) + 1)[..., None, :]
    return rearrange(flat, "... r c -> ... (r c)")


def bordered(maps: Float[Tensor, "B D H W"]) -> Float[Tensor, "D m"]:
    """Maps one after the other, each with a border of one pixel."""
    return rearrange(F.pad(maps, (1, 1, 1, 1)), "b d h w -> d (b h w)")


def without_border(maps: Float[Tensor, "D m"], canvas: tuple[int, int]) -> Float[Tensor, "B D H W"]:
    separate = rearrange(maps, "d (b h w) -> b d h w", h=canvas[0] + 2, w=canvas[1] + 2)
    return separate[..., 1:-1, 1:-1]


def bordered_area(canvas: tuple[int, int]) -> int:
    return (canvas[0] + 2) * (canvas[1] + 2)


def ungrouped(
    parts: list[Tensor] | tuple[Tensor, ...], runs: Runs, batch: Sequence[int]
) -> Float[Tensor, "B K *n"]:
    """What groups say of their particles, in the order of the batch."""
    order = torch.cat([group.members for groups in runs for group in groups]).argsort()
    return torch.cat(parts).index_select(0, order).unflatten(0, batch)


def in_one_precision(*tensors: Tensor) -> list[Tensor]:
    """The tensors in the precision of the most precise, at least single: places are no matter for halves."""
    kind = torch.float32
    for tensor in tensors:
        kind = torch.promote_types(kind, tensor.dtype)
    return [tensor.to(kind) for tensor in tensors]


def without_autocast(like: Tensor) -> torch.autocast:
    """Autocast would multiply matrices in halves, and lose fractions of a pixel."""
    return torch.autocast(like.device.type, enabled=False)


def _full(canvas: tuple[int, int], like: Tensor) -> Float[Tensor, "2"]:
    return torch.tensor(canvas, device=like.device, dtype=like.dtype)
