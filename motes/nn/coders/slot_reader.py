"""The refinement network of IODINE: from maps of what a slot explains to a change of its posterior."""

import itertools
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import repeat
from jaxtyping import Float
from torch import Tensor, nn

from motes.nn.blocks.broadcast import coordinates_of

# of the last layer's weights: at the start, an update changes nearly nothing
FAINT = 0.01

Memory = tuple[Tensor, Tensor]  # hidden and cell state of an LSTM


@dataclass(frozen=True)
class SlotReaderSize:
    """The sizes of a refinement network."""

    # rows, columns of the maps
    picture: tuple[int, int]
    # widths of the convolutions; the first has the stride below, the others 2
    widths: tuple[int, ...] = (32, 32, 32)
    kernel: int = 5
    # pixels along each side of the cells that the first convolution reads
    stride: int = 2
    # widths of the fully connected layers
    hidden: tuple[int, ...] = (128, 128)
    # units of the LSTM; 0: none
    memory: int = 128
    # 0: maps of row and column; n: of cos(i row) cos(j column), i and j below n
    waves: int = 0

    @property
    def flat(self) -> bool:
        """Whether the fully connected layers read every pixel of the last maps, or their mean."""
        return self.stride > 2


class SlotReader(nn.Module):
    """Convolutions, fully connected layers and an LSTM, with ELU between them.

    Slots share the network. Maps that are the same for all slots of a picture (`common`), and the maps of places,
    which are the same for all pictures, are convolved once.
    """

    places: Tensor

    def __init__(self, own: int, common: int, numbers: int, size: SlotReaderSize):
        """Build the network for so many maps of a slot and of a picture, and so many numbers of a posterior."""
        super().__init__()
        self.size = size
        self.register_buffer("places", _places(size), persistent=False)
        self.parts = [own, common, len(self.places)]
        kernel = max(size.kernel, size.stride | 1)
        widths = size.widths
        self.first = nn.Conv2d(sum(self.parts), widths[0], kernel, size.stride, _padding(kernel, size.stride))
        inner = itertools.pairwise(widths)
        self.inner = nn.ModuleList(
            nn.Conv2d(a, b, size.kernel, 2, _padding(size.kernel, 2)) for a, b in inner
        )
        dense = [widths[-1] * (math.prod(self._last_grid()) if size.flat else 1), *size.hidden]
        self.dense = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(dense))
        kind = LstmTop if size.memory else PlainTop
        self.top = kind(dense[-1] + 2 * numbers, size.memory or dense[-1])
        self.change = nn.Linear(size.memory or dense[-1], numbers)
        nn.init.normal_(self.change.weight, 0.0, FAINT)
        nn.init.zeros_(self.change.bias)

    def forward(
        self,
        own: Float[Tensor, "N D H W"],
        common: Float[Tensor, "B E H W"],
        numbers: Float[Tensor, "N G"],
        memory: Memory | None,
    ) -> tuple[Float[Tensor, "N P"], Memory | None]:
        """The change of each slot's posterior, and the new memory; `numbers` are the posterior and its gradient."""
        x = F.elu_(self._first(own, common))
        for layer in self.inner:
            x = F.elu_(layer(x))
        x = x.flatten(1) if self.size.flat else x.mean((2, 3))
        for layer in self.dense:
            x = F.elu_(layer(x))
        x, memory = self.top(torch.cat([x, numbers], 1), memory)
        return self.change(x), memory

    def _first(self, own: Tensor, common: Tensor) -> Tensor:
        of_own, of_common, of_places = self.first.weight.split(self.parts, 1)
        step = {"stride": self.first.stride, "padding": self.first.padding}
        shared = F.conv2d(common, of_common, **step) + F.conv2d(
            self.places[None], of_places, self.first.bias, **step
        )
        return F.conv2d(own, of_own, **step) + repeat(
            shared, "b d h w -> (b k) d h w", k=len(own) // len(common)
        )

    def _last_grid(self) -> tuple[int, int]:
        with torch.no_grad():
            x = self.first(torch.zeros(1, sum(self.parts), *self.size.picture))
            for layer in self.inner:
                x = layer(x)
        return x.shape[2], x.shape[3]


class LstmTop(nn.LSTMCell):
    """An LSTM that remembers the updates so far."""

    def forward(self, input: Tensor, hx: Memory | None = None) -> tuple[Tensor, Memory]:  # pyright: ignore
        hidden, cell = super().forward(input, hx)
        return hidden, (hidden, cell)


class PlainTop(nn.Linear):
    """A layer without memory."""

    def forward(self, input: Tensor, memory: None = None) -> tuple[Tensor, None]:  # pyright: ignore
        return F.elu_(super().forward(input)), None


def _places(size: SlotReaderSize) -> Float[Tensor, "S H W"]:
    coordinates = coordinates_of(size.picture)
    if not size.waves:
        return coordinates
    rows, columns = (coordinates + 1) * (math.pi / 2)
    pairs = [(i, j) for i in range(size.waves) for j in range(size.waves) if i or j]
    return torch.stack([torch.cos(i * rows) * torch.cos(j * columns) for i, j in pairs])


def _padding(kernel: int, stride: int) -> int:
    """So that cells of `stride` pixels lie in the middle of the windows."""
    return (kernel - stride + 1) // 2
