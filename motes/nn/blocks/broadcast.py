"""The spatial broadcast decoder: every pixel is drawn from the code and from where the pixel is."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError


@dataclass(frozen=True)
class BroadcastSize:
    """The sizes of a broadcast decoder."""

    # rows, columns of the picture
    picture: tuple[int, int]
    # cells along the shorter side of the grid that codes are broadcast to; 0: a cell for every pixel
    side: int = 0
    # channels of the hidden layers
    width: int = 32
    # hidden layers
    layers: int = 4
    # side of the convolutions; odd
    kernel: int = 5

    @property
    def scale(self) -> int:
        """Pixels along each side of a cell."""
        return -(-min(self.picture) // self.side) if self.side else 1

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of cells; they may reach over the picture's edges."""
        rows, columns = (-(-pixels // self.scale) for pixels in self.picture)
        return rows, columns


class BroadcastDecoder(nn.Module):
    """Draws D channels of a picture from a code (Watters et al. 2019, https://arxiv.org/abs/1901.07017).

    The code is repeated in every cell of a grid, beside the row and the column of the cell in [-1, 1]. Then come
    convolutions of stride 1, padded by zeros, with ELU between them.

    With one cell for each pixel this is the published network. With fewer cells (`side`) the first and the last
    convolution are 1 x 1, and the last one draws all pixels of its cell. What reaches over the picture's edges is
    cropped, equally on both sides.

    >>> BroadcastDecoder(16, 4, BroadcastSize((35, 35), side=9, kernel=3))(torch.zeros(2, 16)).shape
    torch.Size([2, 4, 35, 35])
    """

    coordinates: Tensor

    def __init__(self, code: int, outputs: int, size: BroadcastSize):
        super().__init__()
        _check(size)
        self.size = size
        outer = 1 if size.side else size.kernel
        inner = [_convolution(size.width, size.width, size.kernel) for _ in range(size.layers - 1)]
        self.first = _convolution(code + 2, size.width, outer)
        self.inner = nn.ModuleList(inner)
        self.last = _convolution(size.width, outputs * size.scale**2, outer)
        self.register_buffer("coordinates", coordinates_of(size.grid), persistent=False)

    def forward(self, code: Float[Tensor, "N Z"]) -> Float[Tensor, "N D H W"]:
        x = F.elu_(self._first(code))
        for layer in self.inner:
            x = F.elu_(layer(x))
        return self._cropped(self.last(x))

    def _first(self, code: Float[Tensor, "N Z"]) -> Float[Tensor, "N w h v"]:
        """The first convolution of the repeated code and the coordinates, added up from two parts.

        The convolution of a repeated code takes few different values: one in the middle, and others as near to an
        edge as the padding reaches. They are computed on a tile as large as the kernel, and repeated.
        """
        kernel = self.first.weight.shape[-1]
        of_code, of_place = self.first.weight.split([code.shape[1], 2], 1)
        tile = code[:, :, None, None].expand(-1, -1, kernel, kernel)
        values = F.conv2d(tile, of_code, padding=kernel // 2)
        for axis, length in zip((2, 3), self.size.grid, strict=True):
            values = _stretched(values, axis, length)
        return values + F.conv2d(self.coordinates[None], of_place, self.first.bias, padding=kernel // 2)

    def _cropped(self, cells: Float[Tensor, "N d h v"]) -> Float[Tensor, "N D H W"]:
        scale = self.size.scale
        drawn = rearrange(cells, "n (d r s) h v -> n d (h r) (v s)", r=scale, s=scale)
        (top, left) = ((b - a) // 2 for a, b in zip(self.size.picture, drawn.shape[2:], strict=True))
        return drawn[..., top : top + self.size.picture[0], left : left + self.size.picture[1]]


def coordinates_of(grid: tuple[int, int]) -> Float[Tensor, "2 h v"]:
    """The row and the column of every cell of a grid, from -1 to 1."""
    rows, columns = (torch.linspace(-1, 1, cells) for cells in grid)
    return torch.stack(torch.meshgrid(rows, columns, indexing="ij"))


def _convolution(inputs: int, outputs: int, kernel: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)


def _stretched(tile: Tensor, axis: int, length: int) -> Tensor:
    """The tile with its middle repeated along an axis, until it is so long."""
    edge = tile.shape[axis] // 2
    before, middle, after = tile.split([edge, 1, edge], axis)
    shape = list(middle.shape)
    shape[axis] = length - 2 * edge
    return torch.cat([before, middle.expand(shape), after], axis)


def _check(size: BroadcastSize) -> None:
    if size.kernel % 2 == 0 or size.kernel < 1 or size.layers < 1 or size.width < 1:
        raise UserError(
            f"a broadcast decoder wants layers and width of at least 1 and an odd kernel, not {size.layers}, "
            f"{size.width} and {size.kernel}"
        )
    if not 0 <= size.side <= min(size.picture):
        raise UserError(
            f"side {size.side} must be from 1 to {min(size.picture)}, the picture's shorter side, or 0 for a cell "
            "for every pixel"
        )
    if not size.side and min(size.picture) < size.kernel:
        raise UserError(f"pictures of {size.picture} pixels are smaller than the kernel, {size.kernel}")
