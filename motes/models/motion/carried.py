"""Predicted frames that show what the last given frame shows: its pixels go along with the things they belong to."""

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.models.abilities import Paints
from motes.models.base import Model
from motes.models.motion.future import in_drawing_order
from motes.ops.points.pixels import positions_of_pixels
from motes.ops.rendering.composite_scaled import render_scaled
from motes.ops.rendering.depth import front_first
from motes.ops.rendering.glimpse import Windows
from motes.ops.rendering.painting import Painting
from motes.ops.rendering.scaled import place_scaled
from motes.types.clips import ParticleClip
from motes.types.latents import Image

# pixels: what cutting out and laying back loses is shown again where things have moved less
STILL = 1.0
# share of a pixel that things have at least, where what is lost there is theirs
ANY = 1e-3


def carried(
    model: Model, given: ParticleClip, future: ParticleClip, last: Float[Tensor, "1 C H W"]
) -> Float[Tensor, "R C H W"]:
    """The pictures of one clip's R predicted frames; `last` is its last given picture.

    A thing is cut out of the last picture, with the model's alpha, and laid where it is predicted to be. Behind it is
    the model's background; all that belongs to no thing stays as it was. So a prediction in which nothing moves is the
    last picture itself. A model that does not paint in layers draws the frames alone.
    """
    if not isinstance(model, Paints):
        return model.decode(in_drawing_order(future))
    newest = given.window(given.frames - 1, 1)
    slots = (newest.track[0] >= 0).nonzero()[:, 0]
    if not len(slots):
        return last.expand(len(future), -1, -1, -1)
    extent = newest.only(slots).particles.extent
    if extent is not None:
        slots = slots[front_first(extent.depth)[0]]
    start = newest.only(slots).particles
    end = future.only(slots).particles
    cutouts = Cutouts.of(model.painting(start), last)
    moved = (end.position - start.position).split(1)
    return torch.cat([cutouts.laid(*step) for step in zip(moved, end.presence.split(1), strict=True)])


@dataclass(frozen=True)
class Cutouts:
    """The things of one picture, cut out of it, the first in front, and the picture behind them."""

    # pixels of the picture: alpha, then the picture's own colours
    layers: Float[Tensor, "1 K D s s"]
    # the middles of the layers, (row, column) in [-1, 1]
    position: Float[Tensor, "1 K 2"]
    behind: Image
    # the picture, less its things laid where they were
    lost: Image
    # the share of each pixel that things have
    covered: Float[Tensor, "1 1 H W"]

    @classmethod
    def of(cls, painting: Painting, picture: Image) -> "Cutouts":
        """The things of the painting as they look in the picture that it was painted after."""
        position, scale = (numbers[None] for numbers in painting.windows())
        canvas = (picture.shape[2], picture.shape[3])
        # on the picture's own pixels, so that what does not move is not blurred
        windows = place_scaled(painting.glimpses[None], position, scale, canvas)
        layers = _cut_out(windows, picture)
        position = positions_of_pixels(windows.corner + (layers.shape[-1] - 1) / 2, canvas)
        presence = painting.presence[None]
        covered = _laid(_masks(layers), position, presence, torch.zeros_like(picture[:, :1]))
        behind = painting.background + (1 - covered) * (picture - painting.background)
        lost = picture - _laid(layers, position, presence, behind)
        return cls(layers, position, behind, lost, covered)

    def laid(self, moved: Float[Tensor, "1 K 2"], presence: Float[Tensor, "1 K"]) -> Image:
        """The picture with each thing moved so far, in halves of the picture."""
        picture = _laid(self.layers, self.position + moved, presence, self.behind)
        return picture + self._share_of_still_things(moved, presence) * self.lost

    def _share_of_still_things(
        self, moved: Float[Tensor, "1 K 2"], presence: Float[Tensor, "1 K"]
    ) -> Float[Tensor, "1 1 H W"]:
        """What things that stay have of all that things have of each pixel; 1 where there are none."""
        pixels = moved * moved.new_tensor(self.behind.shape[2:]) / 2
        stays = torch.exp(-pixels.square().sum(-1) / (2 * STILL**2))
        still = _laid(_masks(self.layers), self.position, presence * stays, torch.zeros_like(self.covered))
        return torch.where(self.covered > ANY, still / self.covered.clamp_min(ANY), 1).clamp(0, 1)


def _laid(
    layers: Float[Tensor, "1 K D s s"],
    position: Float[Tensor, "1 K 2"],
    presence: Float[Tensor, "1 K"],
    behind: Image,
) -> Image:
    return render_scaled(layers, position, torch.ones_like(position), presence, behind)


def _cut_out(windows: Windows, picture: Image) -> Float[Tensor, "1 K D s s"]:
    """The alphas of the windows, and the picture's colours in them. Beyond the picture's edge both are as at the edge:
    what the model draws there, it never had to draw."""
    side = windows.pixels.shape[-1]
    limits = windows.corner.new_tensor(picture.shape[2:])[:, None] - 1
    pixels = windows.corner[..., None] + torch.arange(side, device=picture.device)
    pixels = pixels.clamp_min(0).minimum(limits)
    rows, columns = pixels.unbind(2)
    colours = picture[0][:, rows[0, :, :, None], columns[0, :, None]]
    row, column = (pixels - windows.corner[..., None]).clamp(0, side - 1).unbind(2)
    number = torch.arange(len(row[0]), device=picture.device)[:, None, None]
    alpha = windows.pixels[0, :, 0][number, row[0, :, :, None], column[0, :, None]]
    return torch.cat([alpha[None, :, None], rearrange(colours, "c k r s -> 1 k c r s")], 2)


def _masks(layers: Float[Tensor, "1 K D s s"]) -> Float[Tensor, "1 K 2 s s"]:
    """The layers in white."""
    alpha = layers[:, :, :1]
    return torch.cat([alpha, torch.ones_like(alpha)], 2)
