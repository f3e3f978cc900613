"""A causal transformer over things and time, in turns: things of one frame change each other, then each looks back.

The factorised attention of PINT (Daniel & Tamar 2024, https://arxiv.org/abs/2306.05957): T K^2 + K T^2 pairs in place of
(K T)^2. It knows no numbers of things, so that things in another order give the same vectors in that order.
"""

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from motes.nn.blocks.interaction import HEADS, INTERACTIONS


class SpaceTime(nn.Module):
    """Blocks of an interaction between the things of each frame and of attention to the earlier frames of each.

    What it gives for a frame depends on that frame and those before.
    """

    def __init__(self, inputs: int, edge_inputs: int, width: int, frames: int, interaction: str, blocks: int):
        super().__init__()
        self.read = nn.Linear(inputs, width)
        space = INTERACTIONS[interaction]
        self.space = nn.ModuleList(space(width, edge_inputs, width, 1) for _ in range(blocks))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(blocks))
        self.time = nn.ModuleList(_LookBack(width, frames) for _ in range(blocks))
        self.last = nn.LayerNorm(width)

    def forward(
        self,
        nodes: Float[Tensor, "B T K n"],
        edges: Float[Tensor, "B T K K e"],
        presence: Float[Tensor, "B T K"],
        same: Bool[Tensor, "B K T T"],
    ) -> Float[Tensor, "B T K w"]:
        """`same` says whether a slot held the same thing in two frames: nothing else is looked back on."""
        frames = nodes.shape[1]
        state = self.read(nodes)
        edges = edges.flatten(0, 1)
        for norm, space, time in zip(self.norms, self.space, self.time, strict=True):
            change = space(norm(state).flatten(0, 1), edges, presence.flatten(0, 1))
            state = state + rearrange(change, "(b t) k w -> b t k w", t=frames)
            state = time(state, same)
        return self.last(state)


class _LookBack(nn.Module):
    """Attention of each thing to itself in the frames so far, biased by how long ago they are."""

    def __init__(self, width: int, frames: int):
        super().__init__()
        self.before = nn.LayerNorm(width)
        self.queries = nn.Linear(width, 3 * width)
        self.ago = nn.Parameter(0.02 * torch.randn(HEADS, frames))
        self.out = nn.Linear(width, width)
        self.between = nn.LayerNorm(width)
        self.update = nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))

    def forward(
        self, state: Float[Tensor, "B T K w"], same: Bool[Tensor, "B K T T"]
    ) -> Float[Tensor, "B T K w"]:
        frames = state.shape[1]
        parts = rearrange(self.queries(self.before(state)), "b t k (p h d) -> p b k h t d", p=3, h=HEADS)
        query, key, value = parts
        number = torch.arange(frames, device=state.device)
        ago = number[:, None] - number
        longest = self.ago.shape[1] - 1
        bias = self.ago[:, ago.clamp(0, longest)]
        score = query @ key.mT / math.sqrt(query.shape[-1]) + bias
        # a thing always sees itself
        visible = (same & (ago >= 0) & (ago <= longest)) | (ago == 0)
        score = score.masked_fill(~visible[:, :, None], -torch.inf)
        mixed = rearrange(F.softmax(score, -1) @ value, "b k h t d -> b t k (h d)")
        state = state + self.out(mixed)
        return state + self.update(self.between(state))
