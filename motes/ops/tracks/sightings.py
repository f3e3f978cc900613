"""`Sightings`: what the particles of frames show to a tracker, in pixels."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motes.ops.points.pixels import pixels_of_positions
from motes.ops.rendering.footprints import VisibleBoxes
from motes.types.latents import Particles
from motes.types.rows import Rows

# of the picture's shorter side: the window of models that have none
WINDOW = 0.2
# a particle of less presence continues no track
FAINT = 0.1


@dataclass(frozen=True)
class Sightings(Rows):
    """What N frames show, each with K particles."""

    # (row, column) in pixels
    centre: Float[Tensor, "N K 2"]
    look: Float[Tensor, "N K F"]
    look_variance: Float[Tensor, "N K F"]
    # logarithm of the scale along rows and columns; zeros where all particles are of one size
    size: Float[Tensor, "N K 2"]
    # around what is visible: first row, first column, the row after the last, the column after the last
    box: Float[Tensor, "N K 4"]
    # the model believes in the particle
    sure: Bool[Tensor, "N K"]
    # the model does not, but the particle may still continue a track; it begins none
    doubtful: Bool[Tensor, "N K"]
    # side of a particle's window in pixels
    window: float
    # rows and columns of the picture
    canvas: tuple[int, int]
    # whether each particle has a size of its own
    has_sizes: bool = False

    @classmethod
    def of(
        cls,
        particles: Particles,
        canvas: tuple[int, int],
        boxes: VisibleBoxes | None = None,
        window: int | None = None,
    ) -> "Sightings":
        """The sightings of particles in pictures of this size, with boxes around them where they are known."""
        side = window or WINDOW * min(canvas)
        centre = pixels_of_positions(particles.position, canvas)
        around = torch.cat([centre + 0.5 - side / 2, centre + 0.5 + side / 2], -1)
        if boxes is not None:
            around = torch.where(boxes.visible[..., None], boxes.box, around)
        sure = particles.believed
        extent = particles.extent
        return cls(
            centre=centre,
            look=particles.features,
            look_variance=particles.feature_log_variance.exp(),
            size=torch.zeros_like(centre) if extent is None else extent.scale.log(),
            box=around,
            sure=sure,
            doubtful=~sure & (particles.presence > FAINT),
            window=float(side),
            canvas=canvas,
            has_sizes=extent is not None,
        )
