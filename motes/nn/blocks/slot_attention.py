"""Slot attention: vectors that compete for the places of a picture, round after round, and what it reads and draws
with."""

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError
from motes.nn.blocks.broadcast import BroadcastSize
from motes.nn.blocks.mlp import mlp

LEAST_SHARE = 1e-8  # added to every attention, so that no slot divides by 0


class SlotAttention(nn.Module):
    """One round of slot attention (Locatello et al. 2020, https://arxiv.org/abs/2006.15055, algorithm 1).

    A = softmax over slots of k(x) q(z) / sqrt(D), then each slot's weights divided by their sum over places;
    z <- GRU(A^T v(x), z); z <- z + MLP(z). Slots, keys and the MLP's input are normalised (LayerNorm).
    """

    def __init__(self, inputs: int, code: int, hidden: int):
        super().__init__()
        self.norm_inputs = nn.LayerNorm(inputs)
        self.norm_slots = nn.LayerNorm(code)
        self.norm_hidden = nn.LayerNorm(code)
        self.key = nn.Linear(inputs, code, bias=False)
        self.value = nn.Linear(inputs, code, bias=False)
        self.query = nn.Linear(code, code, bias=False)
        self.gru = nn.GRUCell(code, code)
        self.mlp = mlp(code, hidden, code)

    def keys_and_values(
        self, x: Float[Tensor, "B n d"]
    ) -> tuple[Float[Tensor, "B n D"], Float[Tensor, "B n D"]]:
        """The keys and the values of the places; they are the same in all rounds."""
        x = self.norm_inputs(x)
        return self.key(x), self.value(x)

    def forward(
        self, slots: Float[Tensor, "B K D"], keys: Float[Tensor, "B n D"], values: Float[Tensor, "B n D"]
    ) -> Float[Tensor, "B K D"]:
        """The slots after one more round."""
        query = self.query(self.norm_slots(slots)) * slots.shape[-1] ** -0.5
        share = (keys @ query.mT).softmax(-1) + LEAST_SHARE
        updates = (share / share.sum(1, keepdim=True)).mT @ values
        updated = self.gru(updates.flatten(0, 1), slots.flatten(0, 1)).view_as(slots)
        return updated + self.mlp(self.norm_hidden(updated))


class PlaceEmbedding(nn.Module):
    """Adds a linear map of (row, column, 1 - row, 1 - column) to every place of a grid; they go from 0 to 1."""

    def __init__(self, channels: int, grid: tuple[int, int]):
        super().__init__()
        self.linear = nn.Linear(4, channels)
        rows, columns = (torch.linspace(0, 1, cells) for cells in grid)
        grid_points = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), -1)
        coordinates = torch.cat([grid_points, 1 - grid_points], -1)
        self.register_buffer("coordinates", coordinates, persistent=False)

    def forward(self, x: Float[Tensor, "N C h w"]) -> Float[Tensor, "N C h w"]:
        return x + rearrange(self.linear(self.coordinates), "h w c -> c h w")


class PlaceReader(nn.Module):
    """What is seen at each place of a picture: four convolutions, places added, a normalised MLP.

    The first convolution takes every `stride`-th pixel along each axis.
    """

    def __init__(self, channels: int, size: tuple[int, int], width: int, kernel: int, stride: int = 1):
        super().__init__()
        pad = kernel // 2
        strides = (stride, 1, 1, 1)
        inputs = (channels, width, width, width)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, width, kernel, step, pad) for a, step in zip(inputs, strides, strict=True)
        )
        rows, columns = ((side + 2 * pad - kernel) // stride + 1 for side in size)
        self.place = PlaceEmbedding(width, (rows, columns))
        self.norm = nn.LayerNorm(width)
        self.mlp = mlp(width, width, width)

    def forward(self, image: Float[Tensor, "B C H W"]) -> Float[Tensor, "B n d"]:
        x = image
        for convolution in self.convolutions:
            x = F.relu(convolution(x))
        return self.mlp(self.norm(rearrange(self.place(x), "b c h w -> b (h w) c")))


class GrowingDecoder(nn.Module):
    """Draws D channels of a picture from a code: the published decoder of slot attention.

    The code is repeated on a grid with places added. Transposed convolutions of stride 2 enlarge it to the size of the
    picture, then come `layers` convolutions, all with ReLU, and a 3 x 3 convolution. What reaches over the picture's
    edges is cropped, equally on both sides.
    """

    def __init__(self, code: int, outputs: int, size: BroadcastSize):
        super().__init__()
        self.picture = size.picture
        doublings = math.ceil(math.log2(min(size.picture) / size.side)) if size.side else 0
        rows, columns = (-(-side // 2**doublings) for side in size.picture)
        self.grid = (rows, columns)
        self.place = PlaceEmbedding(code, self.grid)
        layers: list[nn.Module] = []
        inputs = code
        for _ in range(doublings):
            layers.append(_doubling(inputs, size.width, size.kernel))
            inputs = size.width
        for _ in range(size.layers):
            layers.append(nn.Conv2d(inputs, size.width, size.kernel, padding=size.kernel // 2))
            inputs = size.width
        self.layers = nn.ModuleList(layers)
        self.last = nn.Conv2d(inputs, outputs, 3, padding=1)

    def forward(self, code: Float[Tensor, "N Z"]) -> Float[Tensor, "N D H W"]:
        x = self.place(code[:, :, None, None].expand(-1, -1, *self.grid))
        for layer in self.layers:
            x = F.relu(layer(x))
        drawn = self.last(x)
        (top, left) = ((b - a) // 2 for a, b in zip(self.picture, drawn.shape[2:], strict=True))
        return drawn[..., top : top + self.picture[0], left : left + self.picture[1]]


def _doubling(inputs: int, outputs: int, kernel: int) -> nn.ConvTranspose2d:
    """A transposed convolution to twice as many rows and columns."""
    return nn.ConvTranspose2d(inputs, outputs, kernel, 2, kernel // 2, output_padding=1)


class SharedStart(nn.Module):
    """Slots start at random from one learned normal distribution; there may be any number of them."""

    # what the implicit gradient passes on to the start: nothing
    straight_through = False

    def __init__(self, slots: int, code: int):
        super().__init__()
        self.mean = nn.Parameter(nn.init.xavier_uniform_(torch.empty(1, code)))
        self.log_std = nn.Parameter(nn.init.xavier_uniform_(torch.empty(1, code)))

    def forward(self, noise: Float[Tensor, "B K D"]) -> Float[Tensor, "B K D"]:
        return self.mean + self.log_std.exp() * noise


class LearnedStart(nn.Module):
    """Each slot has a learned start of its own, and there cannot be more of them. The noise has no effect."""

    straight_through = True

    def __init__(self, slots: int, code: int):
        super().__init__()
        self.values = nn.Parameter(nn.init.xavier_uniform_(torch.empty(slots, code)))

    def forward(self, noise: Float[Tensor, "B K D"]) -> Float[Tensor, "B K D"]:
        count, slots, _ = noise.shape
        if slots > len(self.values):
            raise UserError(
                f"each slot of this model has a learned start, and there are {len(self.values)}; "
                f"{slots} slots need a model with start shared"
            )
        return self.values[:slots].expand(count, -1, -1)
