"""The box of each particle or slot in a picture: around what is visible of it or, without alpha, its window."""

from typing import Any

import torch

from motes.models.abilities import Encloses, Segments
from motes.models.base import Model
from motes.ops.points.matching import boxes_around
from motes.ops.rendering.footprints import VisibleBoxes
from motes.types.latents import Particles


def particle_boxes(model: Model, latent: Any, size: tuple[int, int]) -> VisibleBoxes | None:
    """The boxes in pictures of this size; None if the model's particles have neither alpha nor a window."""
    if isinstance(model, Encloses):
        return model.boxes(latent)
    if isinstance(model, Segments):
        return VisibleBoxes.of_shares(model.shares(latent)[:, 1:])
    side = window_side(model)
    if side is None or not isinstance(latent, Particles):
        return None
    boxes = torch.stack([boxes_around(position, side, size) for position in latent.position])
    return VisibleBoxes(boxes, torch.ones_like(latent.presence, dtype=torch.bool), size)


def window_side(model: Model) -> int | None:
    """The side of a particle's window in pixels; None if the model's particles have no window."""
    return getattr(getattr(model, "config", None), "glimpse_size", None)
