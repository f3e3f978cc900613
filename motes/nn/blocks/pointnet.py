"""PointNet++ for a few particles, as dense tensors: each node reads its nearest neighbours.

At the end all nodes together become a few maps.
"""

import itertools

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from motes.nn.blocks.conv import ConvBlock, double
from motes.nn.blocks.normalisation import BatchNorm

WIDTHS = (64, 128, 256, 512)
NEIGHBOURS = 10  # a node's own loop included


class PointNetMaps(nn.Module):
    """Turns nodes into `maps` maps of `size` (Qi et al. 2017, https://arxiv.org/abs/1706.02413).

    It has four layers and does not sample nodes.
    """

    def __init__(self, node_features: int, maps: int, size: tuple[int, int]):
        super().__init__()
        widths = (node_features, *WIDTHS)
        self.layers = nn.ModuleList(EdgeLayer(a, b) for a, b in itertools.pairwise(widths))
        doublings = max((min(size) // 8).bit_length() - 1, 0)
        self.size = size
        self.maps = maps
        self.start = tuple(-(-side // 2**doublings) for side in size)
        self.unfold = nn.Linear(WIDTHS[-1], maps * self.start[0] * self.start[1])
        self.grow = nn.ModuleList(ConvBlock(maps, maps, leak=0.01) for _ in range(doublings))

    def forward(
        self, position: Float[Tensor, "B N 2"], nodes: Float[Tensor, "B N d"]
    ) -> Float[Tensor, "B M h w"]:
        neighbours = nearest_neighbours(position, NEIGHBOURS)
        for layer in self.layers:
            nodes = F.relu(layer(nodes, position, neighbours))
        maps = F.relu(self.unfold(nodes.amax(1))).unflatten(1, (self.maps, *self.start))
        for block in self.grow:
            maps = double(block(maps))
        return maps[..., : self.size[0], : self.size[1]]


class EdgeLayer(nn.Module):
    """A layer that maps node i to h_i = max over neighbours j of MLP([h_j, p_j - p_i]), p being positions.

    The first linear layer is split, W [h_j, p_j - p_i] = (W_h h_j + W_p p_j) - W_p p_i, so it is computed
    once per node, not once per edge.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.first = nn.Linear(inputs + 2, outputs)
        self.first_norm = BatchNorm(outputs)
        self.second = nn.Linear(outputs, outputs)
        self.second_norm = BatchNorm(outputs)

    def forward(
        self,
        nodes: Float[Tensor, "B N d"],
        position: Float[Tensor, "B N 2"],
        neighbours: Int[Tensor, "B N k"],
    ) -> Tensor:
        degree = neighbours.shape[2]
        sender = F.linear(torch.cat([nodes, position], -1), self.first.weight, self.first.bias)
        receiver = F.linear(position, self.first.weight[:, -2:])
        edges = _gathered(sender, neighbours) - receiver[:, :, None]
        edges = self.first_norm(edges.flatten(0, 2)).relu_()
        edges = self.second_norm(self.second(edges))
        return edges.view(*nodes.shape[:2], degree, -1).amax(2)


def _gathered(nodes: Float[Tensor, "B N d"], neighbours: Int[Tensor, "B N k"]) -> Float[Tensor, "B N k d"]:
    """The features of each node's neighbours."""
    rows = rearrange(neighbours, "b n k -> b (n k) 1").expand(-1, -1, nodes.shape[-1])
    return rearrange(nodes.gather(1, rows), "b (n k) d -> b n k d", k=neighbours.shape[2])


def nearest_neighbours(position: Float[Tensor, "B N 2"], count: int) -> Int[Tensor, "B N k"]:
    """The numbers of the `count` nearest nodes of each node, itself included."""
    squares = (position[:, :, None] - position[:, None]).square().sum(-1)
    return squares.topk(min(count, position.shape[1]), dim=-1, largest=False).indices
