"""What a model says of things as particles: slots stand where the pixels are that they own."""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float

from motes.errors import UserError
from motes.models.abilities import Segments
from motes.models.base import Model
from motes.ops.points.pixels import positions_of_pixels
from motes.ops.rendering.footprints import middles_of_masks
from motes.ops.scores.shares import owners_of
from motes.types.latents import Particles
from motes.types.slots import Slots


def particles_of(model: Model, latent: Any) -> Particles:
    """The particles of a latent, or its slots as particles; a latent without either is refused."""
    if isinstance(latent, Particles):
        return latent
    if isinstance(latent, Slots) and isinstance(model, Segments):
        return placed_slots(latent, model.shares(latent))
    raise UserError(
        f"this model describes pictures as {type(latent).__name__}, which has no particles to follow"
    )


def placed_slots(slots: Slots, shares: Float[torch.Tensor, "B A H W"]) -> Particles:
    """Slots as particles in the middle of the pixels that they own, with their codes as features.

    A slot that owns no pixel is not present. The shares are of the ground, then of the slots.
    """
    owned = F.one_hot(owners_of(shares, slots.believed), slots.count + 1).movedim(-1, 1)[:, 1:].bool()
    middles = middles_of_masks(owned)
    position = positions_of_pixels(middles, (shares.shape[2], shares.shape[3]))
    return Particles(
        position=position,
        log_variance=torch.zeros_like(position),
        features=slots.codes,
        feature_log_variance=slots.log_variance,
        presence=slots.presence * owned.any(3).any(2),
        background=slots.codes.new_zeros(len(slots), 0),
    )
