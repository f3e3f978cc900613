"""The windows of particles of any size, front first, with the room that the particles in front leave.

Windows are padded to a few sizes (`sizes`) and computed for many particles at once. Only the room is found particle
by particle: each reads and writes one number per pixel of its own window.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from motes.ops.rendering.blending import placing_blend
from motes.ops.rendering.composite import GRAIN_FROM
from motes.ops.rendering.pasting import Pasted
from motes.ops.rendering.scaled import border_index, window_corners, window_starts
from motes.ops.rendering.sizes import SizeGroup, runs_of_groups

Runs = list[list[SizeGroup]]


class ScaledParticles(NamedTuple):
    """Particles that `render_scaled` lays over a background, front first."""

    glimpses: Float[Tensor, "B K D S S"]
    position: Float[Tensor, "B K 2"]
    scale: Float[Tensor, "B K 2"]
    presence: Float[Tensor, "B K"]
    grain: Float[Tensor, "B K s s"] | None = None


@dataclass(frozen=True)
class Placement:
    """Where the windows of a batch of particles lie, how they blend, and in which groups they are computed."""

    corner: Int[Tensor, "B K 2"]
    # rows and columns of each window
    count: Int[Tensor, "B K 2"]
    blend: Float[Tensor, "B K 2 5"]
    runs: Runs
    canvas: tuple[int, int]

    @classmethod
    def of(cls, particles: ScaledParticles, canvas: tuple[int, int], runs: Runs | None = None) -> "Placement":
        """`runs`, if they are known from an earlier pass."""
        side = particles.glimpses.shape[-1]
        corner, count = window_corners(particles.position, particles.scale, side, canvas)
        blend = placing_blend(window_starts(corner, particles.position, canvas), particles.scale)
        return cls(corner, count, blend, runs_of_groups(count) if runs is None else runs, canvas)


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


def layers_in_order(particles: ScaledParticles, placement: Placement) -> Iterator[list[Layer]]:
    """The layers of one run of neighbouring k after the other, with the room that smaller k leave."""
    glimpses = rearrange(particles.glimpses, "b k d r c -> (b k) r d c").contiguous()
    flat = particles._replace(glimpses=glimpses, presence=particles.presence.flatten())
    free = glimpses.new_ones(len(particles.presence) * bordered_area(placement.canvas))
    for groups in placement.runs:
        layers = [_layer(flat, placement, group) for group in groups]
        _find_room(layers, free)
        yield layers


def bordered(maps: Float[Tensor, "B D H W"]) -> Float[Tensor, "D m"]:
    """Maps one after the other, each with a border of one pixel."""
    return rearrange(F.pad(maps, (1, 1, 1, 1)), "b d h w -> d (b h w)")


def without_border(maps: Float[Tensor, "D m"], canvas: tuple[int, int]) -> Float[Tensor, "B D H W"]:
    separate = rearrange(maps, "d (b h w) -> b d h w", h=canvas[0] + 2, w=canvas[1] + 2)
    return separate[..., 1:-1, 1:-1]


def bordered_area(canvas: tuple[int, int]) -> int:
    return (canvas[0] + 2) * (canvas[1] + 2)


def _layer(flat: ScaledParticles, placement: Placement, group: SizeGroup) -> Layer:
    members = group.members
    sides = (group.rows, group.columns)
    blend = placement.blend.detach().flatten(0, 1)[members]
    pasted = Pasted.of(flat.glimpses[members], blend, sides)
    alpha = pasted.pixels[:, :, 0]
    if flat.grain is not None:
        alpha = alpha + _repeated(flat.grain.flatten(0, 1)[members], sides) * (alpha > GRAIN_FROM)
    presence = flat.presence[members]
    opacity = (alpha * presence[:, None, None]).contiguous()
    earlier = members[:, None] // placement.corner.shape[1] * bordered_area(placement.canvas)
    index = border_index(placement.corner.flatten(0, 1)[members], sides, placement.canvas, earlier)
    return Layer(group, pasted, presence, alpha, opacity, torch.empty_like(opacity), index.flatten())


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


def _repeated(grain: Float[Tensor, "n s s"], sides: tuple[int, int]) -> Float[Tensor, "n r c"]:
    rows, columns = (torch.arange(side, device=grain.device) % grain.shape[-1] for side in sides)
    return grain[:, rows[:, None], columns]
