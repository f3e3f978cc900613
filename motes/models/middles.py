"""The middle of what each particle draws: scores, tables and overlays ask here, so that they mean the same place."""

from typing import Any

from jaxtyping import Float
from torch import Tensor

from motes.models.abilities import Locates
from motes.models.base import Model
from motes.ops.points.pixels import pixels_of_positions
from motes.types.latents import Particles


def particle_middles(model: Model, latent: Any) -> Float[Tensor, "B K 2"] | None:
    """(row, column) in [-1, 1] between the edges of the picture: the positions, where the model knows no other.

    None for a latent without particles.
    """
    if not isinstance(latent, Particles):
        return None
    if not latent.count or not isinstance(model, Locates):
        return latent.position
    return model.middles(latent)


def middle_pixels(model: Model, latent: Any, size: tuple[int, int]) -> Float[Tensor, "B K 2"]:
    """The same in pixels of pictures of this size, where i is the middle of pixel i."""
    middles = particle_middles(model, latent)
    assert middles is not None
    return pixels_of_positions(middles, size)
