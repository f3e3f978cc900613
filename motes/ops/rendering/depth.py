"""Order by depth: which particle stands in front, and a gradient that lets depth learn it.

A picture depends on depth only through the order of the particles, which has no gradient. Here each pair has a soft
order, the weight sigmoid((d_j - d_i) / temperature) with which i stands in front of j, and the picture is taken to
change with that weight by what it would change if the two swapped places.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from motes.ops.exporting import is_exporting
from motes.ops.rendering.blending import placing_blend
from motes.ops.rendering.layers_scaled import ScaledParticles, layers_in_order
from motes.ops.rendering.placement import Placement, bordered, in_one_precision, without_autocast
from motes.types.latents import Image

# pixels of overlaps that are summed at once
AT_ONCE = 1 << 18


def front_first(depth: Float[Tensor, "B K"]) -> Int[Tensor, "B K"]:
    """The numbers of the particles, that of the smallest depth first."""
    if is_exporting():
        # ONNX knows no stable sort, but its topk is one
        return depth.topk(depth.shape[1], dim=1, largest=False).indices
    return depth.detach().argsort(dim=1, stable=True)


def with_depth_gradient(
    picture: Image, depth: Float[Tensor, "B K"], particles: ScaledParticles, temperature: float
) -> Image:
    """The same picture, whose gradient also reaches depth.

    `picture` is what `render_scaled` gives for these particles; they and their depths are front first. With
    w_ij = sigmoid((d_j - d_i) / temperature) for i in front of j, the gradient of d is that of a picture with the
    slope dx / dw_ij = r_i a_i a_j (c_i - c_j) in each pixel, for opacities a (alpha times presence), colours c and
    the room r_i in front of both. That is exact for two layers of which one lies over the other, as glass does;
    `render_scaled` agrees where opacities are 0 or 1, and changes less elsewhere. What stands between two particles is
    ignored. Particles that do not overlap ask nothing of each other. The picture's
    gradients for all else are left as they are.

    The forward pass costs nothing. The backward pass computes all windows once more, as the forward pass of
    `render_scaled` does, keeps three numbers per pixel of them, and visits the overlap of every pair of windows, for
    about as much time per pixel as rendering takes. That is about half the CPU time of `render_scaled`, forward and
    backward, for ten particles of 16 px in 64 px, and 2 to 2.7 times of it for 200 of 32 px in 128 px.
    """
    tensors = in_one_precision(*(tensor.detach() for tensor in particles[:4]))
    return DepthGradient.apply(picture, depth, temperature, *tensors, particles.grain)


class DepthGradient(torch.autograd.Function):
    """The differentiable form of `with_depth_gradient`: it hands on the picture, and saves its inputs."""

    @staticmethod
    def forward(
        ctx: Any, picture: Tensor, depth: Tensor, temperature: float, *particles: Tensor | None
    ) -> Tensor:
        ctx.save_for_backward(depth, *particles)
        ctx.temperature = temperature
        return picture.view_as(picture)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        depth, *parts = ctx.saved_tensors
        of_depth = torch.zeros_like(depth)
        if depth.numel():
            with without_autocast(depth):
                _add_gradient(of_depth, depth, gradients[0], ScaledParticles(*parts), ctx.temperature)
        return gradients[0], of_depth, None, *(None for _ in parts)


class _Pairs(NamedTuple):
    """Pairs of particles whose windows overlap on the canvas, with the overlap's first pixel and size."""

    picture: Int[Tensor, "n"]
    front: Int[Tensor, "n"]
    behind: Int[Tensor, "n"]
    first: Int[Tensor, "n 2"]
    size: Int[Tensor, "n 2"]


class _Maps(NamedTuple):
    """What pairs need to know of the pixels of all windows, which follow one another."""

    opacity: Float[Tensor, "m"]
    # opacity times the room in front
    seen: Float[Tensor, "m"]
    # the slope of the loss along the colour
    worth: Float[Tensor, "m"]
    # of each window: the number of the pixel that would lie at the canvas's first, and pixels in a row
    origin: Int[Tensor, "B K"]
    stride: Int[Tensor, "B K"]


def _add_gradient(
    of_depth: Tensor, depth: Tensor, g: Image, particles: ScaledParticles, temperature: float
) -> None:
    side = particles.glimpses.shape[-1]
    placement = Placement.of(particles.position, particles.scale, side, (g.shape[2], g.shape[3]))
    maps = _maps(g.to(particles.glimpses.dtype), particles, placement)
    pairs = _pairs(placement)
    rows = pairs.picture
    difference = (depth[rows, pairs.behind] - depth[rows, pairs.front]) / temperature
    weight = difference.sigmoid()
    slope = _slopes(maps, pairs).to(depth.dtype) * weight * (1 - weight) / temperature
    of_depth.index_put_((rows, pairs.front), -slope, accumulate=True)
    of_depth.index_put_((rows, pairs.behind), slope, accumulate=True)


def _maps(g: Image, particles: ScaledParticles, placement: Placement) -> _Maps:
    of_pixels = bordered(g)
    values = []
    origin, stride = (torch.empty_like(placement.corner[..., 0]) for _ in range(2))
    corner = placement.corner.flatten(0, 1)
    start = 0
    blend = placing_blend(placement.starts(particles.position), particles.scale)
    for layers in layers_in_order(particles, blend, placement, placement.runs()):
        for layer in layers:
            members = layer.group.members
            colour = layer.channels[1:]
            worth = (of_pixels.index_select(1, layer.index).view(colour.shape) * colour).sum(0)
            values.append(torch.stack([layer.opacity, layer.opacity * layer.room, worth]).flatten(1))
            area = layer.group.rows * layer.group.columns
            first = start + torch.arange(len(members), device=g.device) * area
            before = corner[members, 0] * layer.group.columns + corner[members, 1]
            origin.view(-1)[members] = first - before
            stride.view(-1)[members] = layer.group.columns
            start += len(members) * area
    opacity, seen, worth = torch.cat(values, 1)
    return _Maps(opacity, seen, worth, origin, stride)


def _pairs(placement: Placement) -> _Pairs:
    full = torch.tensor(placement.canvas, device=placement.corner.device)
    first = placement.corner.clamp_min(0)
    stop = torch.minimum(placement.corner + placement.count, full)
    firsts = torch.maximum(first[:, :, None], first[:, None])
    sizes = torch.minimum(stop[:, :, None], stop[:, None]) - firsts
    overlap = (sizes > 0).all(-1).triu(1)
    picture, front, behind = overlap.nonzero().unbind(1)
    return _Pairs(picture, front, behind, firsts[overlap], sizes[overlap])


def _slopes(maps: _Maps, pairs: _Pairs) -> Float[Tensor, "n"]:
    """The slope of the loss along the weight with which the first of each pair stands in front."""
    parts = [_sums(maps, _Pairs._make(tensor[part] for tensor in pairs)) for part in _at_once(pairs)]
    return torch.cat([maps.worth.new_zeros(0), *parts])


def _at_once(pairs: _Pairs) -> Iterator[slice]:
    """Neighbouring pairs whose overlaps have about `AT_ONCE` pixels together."""
    chunk = pairs.size.prod(1).cumsum(0) // AT_ONCE
    lengths = torch.unique_consecutive(chunk, return_counts=True)[1].tolist()
    start = 0
    for length in lengths:
        yield slice(start, start + length)
        start += length


def _sums(maps: _Maps, pairs: _Pairs) -> Float[Tensor, "n"]:
    """Over the pixels of each overlap: r_i a_i a_j g (c_i - c_j)."""
    area = pairs.size.prod(1)
    pair = torch.repeat_interleave(area)
    number = torch.arange(len(pair), device=pair.device) - (area.cumsum(0) - area)[pair]
    width = pairs.size[:, 1][pair]
    row = number // width
    column = number - row * width
    front, behind = (_pixels(maps, pairs, own, pair, row) + column for own in (pairs.front, pairs.behind))
    value = maps.seen[front] * maps.opacity[behind] * (maps.worth[front] - maps.worth[behind])
    return maps.worth.new_zeros(len(area)).index_add_(0, pair, value)


def _pixels(maps: _Maps, pairs: _Pairs, own: Tensor, pair: Tensor, row: Tensor) -> Int[Tensor, "m"]:
    """The number, among the pixels of all windows, of the first pixel of each row of the overlaps."""
    stride = maps.stride[pairs.picture, own]
    start = maps.origin[pairs.picture, own] + pairs.first[:, 0] * stride + pairs.first[:, 1]
    return start[pair] + row * stride[pair]
