"""The sized networks: the anchored ones, with windows that are as large as each particle's thing.

What is drawn is centred on the particle's position by construction.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from motes.models.particles.anchored import AnchoredEncoder, GlimpseReader
from motes.models.particles.encoding import DiagonalNormal, Encoding, ExtentPosterior
from motes.models.particles.parts import ParticleSizes
from motes.models.particles.sized_decoder import CLOSE, HALF, ROUGH, SizedDecoder
from motes.models.particles.view import View
from motes.ops.densities.noise import normal_like
from motes.ops.gather import take
from motes.ops.points.boxes_of_things import (
    Boxes,
    Foreground,
    Things,
    boxes_of_things,
    nearest_sides,
    share_filled,
    smallest_area,
    without,
)
from motes.ops.points.keypoints import at_points
from motes.ops.points.pixels import pixels_of_points, positions_of_pixels
from motes.ops.rendering.crowding import claimed_scaled, yielding_scaled
from motes.ops.rendering.scaled import cut_scaled
from motes.types.latents import Image

# of the numbers read at an anchor, at first: at the anchor with a deviation of 0.14, probably present, of the
# anchor's scale and of depth 0 with a deviation of 0.14
FIRST_READING = (0.0, 0.0, -4.0, -4.0, 2.0, 0.0, 0.0, -4.0, -4.0, 0.0, -4.0)
# a window is this much larger than the box of its anchor
ROOM = 1.25
# of the logarithm of a scale: farthest from the anchor's
REACH = 0.7
# of the window in which the look is read: deviation of its position, in sides, and of its log-scale
SHAKE = 0.1
SMALLEST = 1 / 3  # scale
# of the salient points, as many for each particle, are tried as anchors
CANDIDATES = 3
COARSEST = 8  # pixels that are left of a window's side where anchors are chosen


class SizedEncoder(AnchoredEncoder):
    """Reads particles from anchors that have a size: boxes around what looks like one thing.

    While training, the look is read in a window that is a little off, so that it cannot say where the thing
    stands in its window.
    """

    def __init__(self, config: ParticleSizes):
        super().__init__(config)
        self.where = GlimpseReader(config.channels + 1, self.context, len(FIRST_READING))
        with torch.no_grad():
            self.where.last.weight.mul_(0.1)
            self.where.last.bias.copy_(torch.tensor(FIRST_READING))
        # a short way for colours and outlines, which deep networks take long to find
        self.rough = nn.Linear(config.channels + (config.channels + 1) * ROUGH**2, config.feature_dim)
        # a window may be as large as the picture
        self.largest = max(self.size) / self.side
        # anchors are chosen on pictures that are so much smaller: a power of two, which divides their sides
        self.shrink = 1 << (self.side // COARSEST).bit_length() - 1 if self.side >= COARSEST else 1

    def upgrade(self, weights: dict[str, Tensor], prefix: str) -> None:
        """From the time when the short way had the mean colour alone."""
        tint = weights.pop(f"{prefix}tint.weight", None)
        if tint is not None:
            rough = torch.zeros_like(self.rough.weight)
            rough[:, : tint.shape[1]] = tint
            weights[f"{prefix}rough.weight"] = rough
            weights[f"{prefix}rough.bias"] = weights.pop(f"{prefix}tint.bias")

    @property
    def box_side(self) -> float:
        """The side of a box of scale 1, in pixels of the smaller picture."""
        return self.side / ROOM / self.shrink

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, image: Image, prior_image: Image | None, decoder: SizedDecoder
    ) -> Encoding:
        view = self.view(image, decoder)
        boxes = self._boxes(view.foreground, view.points, view.salience, decoder.sides)
        proposals = self.proposals(view)
        if prior_image is not None and prior_image is not image:
            residual = prior_image - _ground(*self._background(prior_image, decoder), decoder)
            proposals = self._proposals(residual, *self._keypoints(residual))
        return self.read(view, boxes, proposals, decoder)

    def view(self, image: Image, decoder: SizedDecoder) -> View:
        """What is known of the pictures before things are looked for."""
        background, light = self._background(image, decoder)
        ground = _ground(background, light, decoder)
        residual = image - ground
        points, salience = self._keypoints(residual)
        amount, colour = decoder.foreground(image, ground).shrunk(self.shrink)
        return View(
            image, residual, amount, colour, points, salience, background.mean, background.log_variance, light
        )

    def boxes_beside(
        self, view: View, things: Things, count: int, sides: Float[Tensor, "2"], least: float
    ) -> tuple[Boxes, Float[Tensor, "B k"]] | None:
        """`count` anchors on what is left beside things that are known already, and how much of each box that fills.

        None where nothing is left that could fill as much as `least` of a box.
        """
        foreground = without(view.foreground, things, self.box_side)
        if not (foreground.amount.sum((1, 2, 3)) > least * smallest_area(self.box_side)).any():
            return None
        left = at_points(foreground.amount[:, 0], view.points)
        boxes = self._boxes(foreground, view.points, view.salience * left, sides, count)
        return boxes, share_filled(foreground, boxes, self.box_side)

    def proposals(self, view: View) -> Float[Tensor, "B M 2"]:
        return self._proposals(view.residual, view.points, view.salience)

    def read(
        self, view: View, boxes: Boxes, proposals: Float[Tensor, "B M 2"] | None, decoder: SizedDecoder
    ) -> Encoding:
        """The posterior of the particles at these anchors, the first of which take what several could."""
        position, presence, extent = self.locate(view.residual, boxes, decoder.unit)
        window = self._window(torch.cat([view.image, view.residual], 1), position.mean, extent.log_scale.mean)
        glimpses, differences = window.split(view.image.shape[1], 2)
        mean, log_variance = self.what(window).chunk(2, -1)
        rough = self.rough(_rough_look(glimpses, differences, decoder.contrast))
        features = DiagonalNormal(mean + rough, log_variance)
        background = DiagonalNormal(view.background, view.background_log_variance)
        return Encoding(proposals, position, presence, features, background, glimpses, extent, view.light)

    def _background(self, image: Image, decoder: SizedDecoder) -> tuple[DiagonalNormal, Float[Tensor, "B L"]]:
        """The posterior of the background's code, and the light.

        The code is read from small differences from what is always the same. Where the difference is large
        stands a thing, which the code must not know, or the background would draw it.
        """
        light = decoder.light(image)
        with torch.no_grad():
            difference = image - decoder.lit(light)
            share = difference.square().sum(1, keepdim=True) / (CLOSE * decoder.contrast)
            small = difference * (1 - share).clamp_min(0).square() / decoder.contrast.sqrt()
        return DiagonalNormal(*self.around(10 * small).chunk(2, -1)), light

    def _boxes(
        self,
        foreground: Foreground,
        points: Float[Tensor, "B P 2"],
        salience: Float[Tensor, "B P"],
        sides: Float[Tensor, "2"],
        count: int | None = None,
    ) -> Boxes:
        """The anchors, from the most salient points; on a smaller picture where things are large."""
        best = salience.topk(min(CANDIDATES * self.num_particles, points.shape[1]), dim=1).indices
        limits = self._limits(sides)
        positions = positions_of_pixels(pixels_of_points(take(points, best), self.size), self.size)
        return boxes_of_things(foreground, positions, count or self.num_particles, self.box_side, limits)

    def _limits(self, sides: Float[Tensor, "2"]) -> tuple[float, float]:
        """The shortest and the longest side of a box."""
        shortest, longest = (sides / (self.box_side * self.shrink)).tolist()
        return shortest, longest or math.inf

    def settle(self, sides: Float[Tensor, "2"]) -> None:
        """Take the limits of a box for these sides for good: an exported graph cannot choose boxes by a tensor."""
        limits = self._limits(sides)
        self._limits = lambda sides: limits

    def as_anchors(self, boxes: Boxes, sides: Float[Tensor, "2"]) -> Boxes:
        """The boxes with sides that anchors have: the networks learnt from no others."""
        return Boxes(boxes.positions, nearest_sides(boxes.sides, self._limits(sides)))

    def locate(
        self, residual: Image, boxes: Boxes, unit: Tensor
    ) -> tuple[DiagonalNormal, Float[Tensor, "B K"], ExtentPosterior]:
        """Positions, presence and scales of the particles, read from a window around each anchor."""
        anchors, scale = boxes
        claimed = claimed_scaled(anchors, scale, self.context, self.size, width=self.side / 4)
        windows = cut_scaled(residual, anchors, scale, self.context)
        numbers = self.where(torch.cat([windows, claimed[:, :, None]], 2))
        offset = torch.tanh(numbers[..., :2]) * self.reach.to(residual) * scale
        position = DiagonalNormal((anchors + offset).clamp(-1, 1), numbers[..., 2:4])
        log_scale = self._log_scale(scale, numbers[..., 5:7])
        present = torch.sigmoid(numbers[..., 4])
        presence = yielding_scaled(present, position.mean, log_scale.exp(), self.size, width=self.side / 6)
        depth = DiagonalNormal(numbers[..., 9], numbers[..., 10])
        content = self._content(windows, scale) / unit
        extent = ExtentPosterior(DiagonalNormal(log_scale, numbers[..., 7:9]), scale.log(), depth, content)
        return position, presence, extent

    def _log_scale(
        self, scale: Float[Tensor, "B K 2"], change: Float[Tensor, "B K 2"]
    ) -> Float[Tensor, "B K 2"]:
        """The logarithm of each particle's scale, not far from its anchor's."""
        smallest = scale.new_tensor(SMALLEST).log()
        largest = scale.new_tensor(self.largest).log()
        return (scale.log() + REACH * torch.tanh(change / REACH)).clamp(smallest, largest)

    def _content(
        self, windows: Float[Tensor, "B K C c c"], scale: Float[Tensor, "B K 2"]
    ) -> Float[Tensor, "B K"]:
        """The squared difference from the background in each window."""
        # windows are cut with some pixels around them
        rim = (self.context - self.side) // 2
        inner = windows[..., rim : rim + self.side, rim : rim + self.side]
        return inner.square().sum((2, 3, 4)) * scale.prod(-1)

    @torch.no_grad()
    def _window(
        self, pictures: Image, position: Float[Tensor, "B K 2"], log_scale: Float[Tensor, "B K 2"]
    ) -> Float[Tensor, "B K C S S"]:
        scale = log_scale.exp()
        if self.training:
            half = torch.tensor(self.size, device=position.device) / 2
            position = position + SHAKE * self.side * scale / half * normal_like(position)
            scale = scale * (SHAKE * normal_like(scale)).exp()
        return cut_scaled(pictures, position, scale, self.side)


def _rough_look(
    glimpses: Float[Tensor, "B K C S S"], residual: Float[Tensor, "B K C S S"], contrast: Tensor
) -> Float[Tensor, "B K n"]:
    """The mean colour of what the background does not explain; then, in each of a few cells of the window, colours
    and how much of them there is. Colours are in -1 .. 1."""
    squared = residual.square().sum(2, keepdim=True)
    colour = 2 * glimpses - 1
    mean = (squared * colour).sum((3, 4)) / squared.sum((3, 4)).clamp_min(1e-6)
    amount = squared / (squared + HALF * contrast)
    maps = torch.cat([amount * colour, amount], 2).flatten(0, 1)
    cells = F.adaptive_avg_pool2d(maps, ROUGH).unflatten(0, mean.shape[:2])
    return torch.cat([mean, cells.flatten(2)], -1)


@torch.no_grad()
def _ground(background: DiagonalNormal, light: Float[Tensor, "B L"], decoder: SizedDecoder) -> Image:
    """The most likely background."""
    return decoder.background_of_code(torch.cat([background.mean, light], 1))
