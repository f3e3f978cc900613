"""Cutting, pasting and stitching alone, by canvases or by windows: what it costs and what autograd keeps.
particles_scale.py measures with it.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from motes.ops.rendering import canvas
from motes.ops.rendering.composite import render
from motes.ops.rendering.glimpse import cut_glimpses

Picture = Callable[[], Tensor]


def rendering(windows: bool, size: tuple[int, int, int, int]) -> tuple[Callable[[], None], float]:
    """`size`: pictures, particles, side of a picture, side of a glimpse.
    Forward and backward, and the megabytes kept between them.
    """
    batch, count, side, glimpse = size
    glimpses = torch.rand(batch, count, glimpse, glimpse, 4).permute(0, 1, 4, 2, 3).requires_grad_()
    position = (torch.rand(batch, count, 2) * 1.8 - 0.9).requires_grad_()
    presence = torch.rand(batch, count).requires_grad_()
    image = torch.rand(batch, 3, side, side)
    background = torch.rand(batch, 3, side, side).requires_grad_()
    inputs = (glimpses, position, presence, background)

    def by_windows() -> Tensor:
        cut_glimpses(image, position.detach(), glimpse)
        return render(*inputs)

    def by_canvases() -> Tensor:
        canvas.cut_windows(image, position.detach(), glimpse)
        layers = canvas.paste(glimpses, position, (side, side)).clamp(0, 1)
        return canvas.stitch(layers, presence, background)

    forward = by_windows if windows else by_canvases
    picture, megabytes = kept_for_backward(forward, inputs)
    weight = torch.rand_like(picture)
    return lambda: forward().backward(weight), megabytes


def kept_for_backward(forward: Picture, inputs: tuple[Tensor, ...]) -> tuple[Tensor, float]:
    """The picture, and the megabytes that autograd keeps beside the inputs."""
    sizes: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        picture = forward()
    for tensor in inputs:
        sizes.pop(tensor.untyped_storage().data_ptr(), None)
    return picture, sum(sizes.values()) / 1e6
