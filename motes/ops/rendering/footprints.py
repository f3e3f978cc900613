"""The share of each pixel that each particle has, boxes around what is visible, and the centres of masks."""

from dataclasses import dataclass, replace

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.ops.rendering.composite import shares
from motes.ops.rendering.glimpse import Windows, canvas_index
from motes.types.rows import Rows

HIDDEN = 0.05  # an object that has no larger share of any pixel is not visible


@dataclass(frozen=True)
class VisibleBoxes(Rows):
    """A box around each object's pixels of which it has at least half of its largest share.

    It is not half of one, because objects that are drawn faint all over have borders too.
    """

    # in pixels: first row, first column, the row after the last, the column after the last; zeros: no pixel
    box: Float[Tensor, "B K 4"]
    # whether anything of the object is visible
    visible: Bool[Tensor, "B K"]
    # rows and columns of the picture
    canvas: tuple[int, int]

    @classmethod
    def of_shares(cls, share: Float[Tensor, "B K h w"]) -> "VisibleBoxes":
        largest = share.amax((2, 3))
        solid = (share >= largest[..., None, None] / 2) & (share > 0)
        return cls(windows_of_masks(solid), largest > HIDDEN, (share.shape[2], share.shape[3]))


@dataclass(frozen=True)
class Footprints:
    """Each particle's share of each pixel, e_k of `composite.render`, in windows of the canvas."""

    share: Float[Tensor, "B K s s"]
    corner: Int[Tensor, "B K 2"]
    canvas: tuple[int, int]

    @classmethod
    def of(cls, windows: Windows, presence: Float[Tensor, "B K"], canvas: tuple[int, int]) -> "Footprints":
        return cls(shares(windows, presence, canvas), windows.corner, canvas)

    def boxes(self) -> VisibleBoxes:
        """The boxes of the particles on the canvas, read in their windows."""
        pixels = torch.arange(self.share.shape[-1], device=self.corner.device)
        places = self.corner[..., None] + pixels
        inside = (places >= 0) & (places < torch.tensor(self.canvas, device=places.device)[:, None])
        rows, columns = inside.unbind(2)
        within = VisibleBoxes.of_shares(self.share * (rows[..., :, None] & columns[..., None, :]))
        # the box of no pixels stays at 0
        shift = self.corner * (within.box[..., 2:] > within.box[..., :2])
        return replace(within, box=within.box + torch.cat([shift, shift], -1), canvas=self.canvas)

    def on_canvas(self) -> Float[Tensor, "B A H W"]:
        """Every particle's share of every pixel, the background's first; they sum to 1."""
        side = self.share.shape[-1]
        height, width = self.canvas
        index = canvas_index(self.corner, side, self.canvas)
        share = rearrange(self.share, "b k r s -> b k (r s)")
        flat = share.new_zeros(*share.shape[:2], (height + 2 * side) * (width + 2 * side))
        padded = rearrange(flat.scatter_add(2, index, share), "b k (h w) -> b k h w", w=width + 2 * side)
        canvases = padded[..., side:-side, side:-side]
        return torch.cat([1 - canvases.sum(1, keepdim=True), canvases], 1)


def windows_of_masks(masks: Bool[Tensor, "B N H W"]) -> Float[Tensor, "B N 4"]:
    """The bounding boxes of masks, their ends exclusive; zeros for an empty mask."""
    rows = masks.any(3)
    columns = masks.any(2)
    first = torch.stack([_first(rows), _first(columns)], -1)
    last = torch.stack([_last(rows), _last(columns)], -1)
    boxes = torch.cat([first, last], -1).float()
    return torch.where(rows.any(2)[..., None], boxes, 0)


def middles_of_masks(masks: Bool[Tensor, "B N H W"]) -> Float[Tensor, "B N 2"]:
    """The centre of mass of each mask: row and column of a pixel."""
    area = masks.sum((2, 3)).clamp_min(1)
    steps = [torch.arange(side, device=masks.device, dtype=torch.float32) for side in masks.shape[2:]]
    return torch.stack([(masks.sum(3) * steps[0]).sum(2) / area, (masks.sum(2) * steps[1]).sum(2) / area], -1)


def _first(present: Bool[Tensor, "B K n"]) -> Int[Tensor, "B K"]:
    return present.to(torch.uint8).argmax(2)


def _last(present: Bool[Tensor, "B K n"]) -> Int[Tensor, "B K"]:
    """One more than the number of the last true entry."""
    return present.shape[2] - _first(present.flip(2))
