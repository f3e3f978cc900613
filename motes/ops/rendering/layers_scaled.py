"""The windows of particles of any size, front first, with the room that the particles in front leave.

Windows are padded to a few sizes (`sizes`) and computed for many particles at once. Only the room is found particle
by particle: each reads and writes one number per pixel of its own window.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from motes.ops.rendering.composite import GRAIN_FROM
from motes.ops.rendering.pasting import Pasted
from motes.ops.rendering.placement import Placement, Runs, bordered_area
from motes.ops.rendering.sizes import SizeGroup


class ScaledParticles(NamedTuple):
    """Particles that `render_scaled` lays over a background, front first."""

    glimpses: Float[Tensor, "B K D S S"]
    position: Float[Tensor, "B K 2"]
    scale: Float[Tensor, "B K 2"]
    presence: Float[Tensor, "B K"]
    grain: Float[Tensor, "B K s s"] | None = None


@dataclass(frozen=True)
class Layer:
    """The windows of a group of particles of about one size."""

    group: SizeGroup
    pasted: Pasted
    presence: Float[Tensor, "n"]
    # with grain, before presence
    alpha: Float[Tensor, "n r c"]
    # alpha times presence
    opacity: Float[Tensor, "n r c"]
    # left by the particles in front
    room: Float[Tensor, "n r c"]
    # of each pixel, on canvases with a border that follow one another
    index: Int[Tensor, "m"]

    @property
    def share(self) -> Float[Tensor, "n r c"]:
        return torch.minimum(self.opacity, self.room)

    @property
    def channels(self) -> Float[Tensor, "D n r c"]:
        return rearrange(self.pasted.pixels, "n r d c -> d n r c")


def layers_in_order(
    particles: ScaledParticles, blend: Float[Tensor, "B K 2 5"], placement: Placement, runs: Runs
) -> Iterator[list[Layer]]:
    """The layers of one run of neighbouring k after the other, with the room that smaller k leave."""
    glimpses = rearrange(particles.glimpses, "b k d r c -> (b k) r d c").contiguous()
    presence = particles.presence.flatten()
    free = glimpses.new_ones(len(blend) * bordered_area(placement.canvas))
    for groups in runs:
        layers = []
        for group in groups:
            sides = (group.rows, group.columns)
            pasted = Pasted.of(glimpses[group.members], blend.flatten(0, 1)[group.members], sides)
            alpha = _alpha(pasted, particles.grain, group)
            layers.append(_layer(group, pasted, alpha, presence[group.members], placement.index(group)))
        _find_room(layers, free)
        yield layers


def _layer(group: SizeGroup, pasted: Pasted, alpha: Tensor, presence: Tensor, index: Tensor) -> Layer:
    """A layer whose room is to be found."""
    opacity = (alpha * presence[:, None, None]).contiguous()
    return Layer(group, pasted, presence, alpha, opacity, torch.empty_like(opacity), index)


def _alpha(pasted: Pasted, grain: Tensor | None, group: SizeGroup) -> Float[Tensor, "n r c"]:
    alpha = pasted.pixels[:, :, 0]
    if grain is None:
        return alpha
    grains = grain.flatten(0, 1)[group.members]
    rows, columns = (torch.arange(side, device=grains.device) % grains.shape[-1] for side in alpha.shape[1:])
    return alpha + grains[:, rows[:, None], columns] * (alpha > GRAIN_FROM)


def _find_room(layers: list[Layer], free: Float[Tensor, "m"]) -> None:
    """Fill in the layers' room, and lower what is `free` by their shares."""
    flat = [(layer.index, layer.opacity.view(-1), layer.room.view(-1)) for layer in layers]
    for k in range(len(layers[0].group.starts) - 1):
        for layer, tensors in zip(layers, flat, strict=True):
            part = layer.group.pixels_of(k)
            if part.start < part.stop:
                index, opacity, room = (tensor[part] for tensor in tensors)
                torch.index_select(free, 0, index, out=room)
                free.scatter_(0, index, room - torch.minimum(room, opacity))
