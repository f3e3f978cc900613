"""How things change each other: networks from things and pairs of things to one vector a thing.

All have one signature, `Interaction`, and stand in INTERACTIONS. None of them knows the number of a thing, so that
things in another order give the same vectors in that order; a thing of presence 0 changes no other.
"""

import math
from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

# of a transformer that stands for so many rounds of messages
LAYERS_A_ROUND = 3
HEADS = 4


class Interaction(Protocol):
    """From what is known of each thing (n numbers), of each pair (e numbers) and the presence of each thing."""

    def __call__(
        self, nodes: Float[Tensor, "B K n"], edges: Float[Tensor, "B K K e"], presence: Float[Tensor, "B K"]
    ) -> Float[Tensor, "B K w"]: ...


class NoInteraction(nn.Module):
    """Each thing by itself: what it lacks beside the others is the pairs."""

    def __init__(self, inputs: int, edge_inputs: int, width: int, rounds: int):
        super().__init__()
        self.read = _two_layers(inputs, width, width)
        self.updates = nn.ModuleList(_two_layers(width, width, width) for _ in range(rounds))

    def forward(
        self, nodes: Float[Tensor, "B K n"], edges: Float[Tensor, "B K K e"], presence: Float[Tensor, "B K"]
    ) -> Float[Tensor, "B K w"]:
        state = self.read(nodes)
        for update in self.updates:
            state = state + update(state)
        return state


class GraphInteraction(nn.Module):
    """A graph network: v_i <- v_i + u(v_i, sum_j a_j m(e_ij, v_i, v_j)), a_j the presence of thing j, j != i.

    (Battaglia et al. 2016, https://arxiv.org/abs/1612.00222.)
    """

    def __init__(self, inputs: int, edge_inputs: int, width: int, rounds: int):
        super().__init__()
        self.read = _two_layers(inputs, width, width)
        self.rounds = nn.ModuleList(_Messages(edge_inputs, width) for _ in range(rounds))

    def forward(
        self, nodes: Float[Tensor, "B K n"], edges: Float[Tensor, "B K K e"], presence: Float[Tensor, "B K"]
    ) -> Float[Tensor, "B K w"]:
        state = self.read(nodes)
        is_other = 1 - torch.eye(nodes.shape[1], dtype=nodes.dtype, device=nodes.device)
        strength = (presence[:, None] * is_other)[..., None]
        for messages in self.rounds:
            state = messages(state, edges, strength)
        return state


class _Messages(nn.Module):
    """One round of messages. The first layer is split into its parts, so that a pair costs one product."""

    def __init__(self, edge_inputs: int, width: int):
        super().__init__()
        self.of_pair = nn.Linear(edge_inputs, width)
        self.of_receiver = nn.Linear(width, width, bias=False)
        self.of_sender = nn.Linear(width, width, bias=False)
        self.second = nn.Linear(width, width)
        self.update = _two_layers(2 * width, width, width)

    def forward(
        self,
        state: Float[Tensor, "B K w"],
        edges: Float[Tensor, "B K K e"],
        strength: Float[Tensor, "B K K 1"],
    ) -> Float[Tensor, "B K w"]:
        receiver = self.of_receiver(state)[:, :, None]
        sender = self.of_sender(state)[:, None]
        message = F.silu(self.of_pair(edges) + receiver + sender)
        message = F.silu(self.second(message)) * strength
        return state + self.update(torch.cat([state, message.sum(2)], -1))


class AttentionInteraction(nn.Module):
    """A transformer whose scores have a bias that is read from each pair, and log a_j, a_j the presence."""

    def __init__(self, inputs: int, edge_inputs: int, width: int, rounds: int):
        super().__init__()
        self.read = _two_layers(inputs, width, width)
        self.layers = nn.ModuleList(_Attention(edge_inputs, width) for _ in range(LAYERS_A_ROUND * rounds))
        self.last = nn.LayerNorm(width)

    def forward(
        self, nodes: Float[Tensor, "B K n"], edges: Float[Tensor, "B K K e"], presence: Float[Tensor, "B K"]
    ) -> Float[Tensor, "B K w"]:
        state = self.read(nodes)
        # a thing always sees itself
        itself = torch.eye(nodes.shape[1], dtype=nodes.dtype, device=nodes.device)
        weight = torch.maximum(presence[:, None].expand(-1, nodes.shape[1], -1), itself)
        heard = weight.clamp_min(1e-30).log()[:, None]
        for layer in self.layers:
            state = layer(state, edges, heard)
        return self.last(state)


class _Attention(nn.Module):
    def __init__(self, edge_inputs: int, width: int):
        super().__init__()
        self.before = nn.LayerNorm(width)
        self.queries = nn.Linear(width, 3 * width)
        self.bias = _two_layers(edge_inputs, width // 2, HEADS)
        self.out = nn.Linear(width, width)
        self.between = nn.LayerNorm(width)
        self.update = _two_layers(width, 2 * width, width)

    def forward(
        self,
        state: Float[Tensor, "B K w"],
        edges: Float[Tensor, "B K K e"],
        heard: Float[Tensor, "B 1 K K"],
    ) -> Float[Tensor, "B K w"]:
        parts = rearrange(self.queries(self.before(state)), "b k (part h d) -> part b h k d", part=3, h=HEADS)
        query, key, value = parts
        score = query @ key.mT / math.sqrt(query.shape[-1])
        score = score + rearrange(self.bias(edges), "b i j h -> b h i j") + heard
        mixed = rearrange(score.softmax(-1) @ value, "b h k d -> b k (h d)")
        state = state + self.out(mixed)
        return state + self.update(self.between(state))


def _two_layers(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, outputs))


# name -> a network, made from the numbers of a thing, of a pair, its width and its rounds
INTERACTIONS: dict[str, Callable[[int, int, int, int], nn.Module]] = {
    "graph": GraphInteraction,
    "attention": AttentionInteraction,
    "none": NoInteraction,
}
