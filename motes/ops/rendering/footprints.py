"""Which pixels are whose: every particle's share of each pixel, in its window; boxes around them, and one
map of who has the most."""

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.ops.rendering.composite import shares
from motes.ops.rendering.glimpse import Windows, canvas_index

HIDDEN = 0.05  # a particle that has no larger share of any pixel is not seen


@dataclass(frozen=True)
class Footprints:
    """e_k of `composite.render`, in windows of the canvas."""

    share: Float[Tensor, "B K s s"]
    corner: Int[Tensor, "B K 2"]
    canvas: tuple[int, int]

    @classmethod
    def of(cls, windows: Windows, presence: Float[Tensor, "B K"], canvas: tuple[int, int]) -> "Footprints":
        return cls(shares(windows, presence, canvas), windows.corner, canvas)

    def boxes(self) -> tuple[Float[Tensor, "B K 4"], Bool[Tensor, "B K"]]:
        """The window shrunk to where the share is at least half of the particle's largest, and whether
        anything is to be seen of it.

        Half of the largest, not of one: particles that are drawn faint all over have borders too. Ends are
        exclusive.
        """
        steps = torch.arange(self.share.shape[-1], device=self.share.device)
        place = self.corner[..., None] + steps  # b k 2 s
        limit = torch.tensor(self.canvas, device=place.device)[:, None]
        inside = (place >= 0) & (place < limit)
        share = self.share * (inside[:, :, 0, :, None] & inside[:, :, 1, None, :])
        most = share.amax((2, 3))
        solid = (share >= most[..., None, None] / 2) & (share > 0)
        return _windows_of(solid, self.corner), most > HIDDEN

    def on_canvas(self) -> Float[Tensor, "B A H W"]:
        """Every particle's share of every pixel, the background's first; they sum to 1."""
        side = self.share.shape[-1]
        height, width = self.canvas
        index = rearrange(canvas_index(self.corner, side, self.canvas), "b k n -> b k n")
        share = rearrange(self.share, "b k r s -> b k (r s)")
        canvases = share.new_zeros(*share.shape[:2], (height + 2 * side) * (width + 2 * side))
        canvases = canvases.scatter_add(2, index, share)
        canvases = rearrange(canvases, "b k (h w) -> b k h w", w=width + 2 * side)[
            ..., side:-side, side:-side
        ]
        return torch.cat([1 - canvases.sum(1, keepdim=True), canvases], 1)

    def owners(self, counts: Bool[Tensor, "B K"]) -> Int[Tensor, "B H W"]:
        """k + 1 where particle k has the largest share of a pixel, 0 where the background has it or a
        particle that does not count."""
        side = self.share.shape[-1]
        height, width = self.canvas
        index = rearrange(canvas_index(self.corner, side, self.canvas), "b k n -> b (k n)")
        share = rearrange(self.share * counts[:, :, None, None], "b k r s -> b (k r s)")
        number = (
            torch.arange(self.share.shape[1], device=index.device)
            .repeat_interleave(side * side)
            .expand_as(index)
        )
        empty = share.new_zeros(len(share), (height + 2 * side) * (width + 2 * side))
        total = empty.scatter_add(1, index, share)
        most = empty.scatter_reduce(1, index, share, "amax")
        wins = (share == most.gather(1, index)) & (share > 0)
        first = torch.full_like(empty, self.share.shape[1], dtype=torch.int64)
        first = first.scatter_reduce(1, index, torch.where(wins, number, self.share.shape[1]), "amin")
        owner = torch.where((most > 0) & (most > 1 - total), first + 1, 0)
        return rearrange(owner, "b (h w) -> b h w", w=width + 2 * side)[:, side:-side, side:-side]


def windows_of_masks(masks: Bool[Tensor, "B N H W"]) -> Float[Tensor, "B N 4"]:
    """Boxes around masks, their ends exclusive; zeros around nothing."""
    return _windows_of(masks, torch.zeros(*masks.shape[:2], 2, dtype=torch.int64, device=masks.device))


def middles_of_masks(masks: Bool[Tensor, "B N H W"]) -> Float[Tensor, "B N 2"]:
    """Their centres of mass: row and column of a pixel."""
    area = masks.sum((2, 3)).clamp_min(1)
    steps = [torch.arange(side, device=masks.device, dtype=torch.float32) for side in masks.shape[2:]]
    return torch.stack([(masks.sum(3) * steps[0]).sum(2) / area, (masks.sum(2) * steps[1]).sum(2) / area], -1)


def _windows_of(solid: Bool[Tensor, "B K h w"], corner: Int[Tensor, "B K 2"]) -> Float[Tensor, "B K 4"]:
    rows = solid.any(3)
    columns = solid.any(2)
    first = torch.stack([_first(rows), _first(columns)], -1)
    last = torch.stack([rows.shape[2] - _first(rows.flip(2)), columns.shape[2] - _first(columns.flip(2))], -1)
    boxes = torch.cat([corner + first, corner + last], -1).float()
    return torch.where(rows.any(2)[..., None], boxes, 0)


def _first(there: Bool[Tensor, "B K n"]) -> Int[Tensor, "B K"]:
    return there.to(torch.uint8).argmax(2)
