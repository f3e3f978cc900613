"""Extents for tests in which the scales alone matter."""

import torch

from motes.types.latents import Extent


def extent_of(scale):
    nothing = torch.zeros_like(scale)
    return Extent(scale, nothing, nothing[..., 0], nothing[..., 0])
