"""The sized networks: the anchored ones, with windows that are as large as each particle's thing.

What is drawn is centred on the particle's position by construction.
"""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from motes.models.particles.anchored import AnchoredEncoder, GlimpseReader, LeanDecoder
from motes.models.particles.encoding import DiagonalNormal, Encoding, ExtentPosterior
from motes.models.particles.parts import ParticleSizes
from motes.ops.densities.noise import normal_like
from motes.ops.gather import take
from motes.ops.pictures.clean_background import clean_background
from motes.ops.pictures.light import light_of
from motes.ops.points.boxes_of_one_value import Boxes, boxes_of_one_value, colour_and_amount
from motes.ops.rendering.composite_scaled import render_scaled
from motes.ops.rendering.crowding import claimed_scaled, yielding_scaled
from motes.ops.rendering.depth import with_depth_gradient
from motes.ops.rendering.glimpse import Windows
from motes.ops.rendering.layers_scaled import ScaledParticles
from motes.ops.rendering.scaled import cut_scaled, place_scaled
from motes.types.latents import Extent, Image

# of the numbers read at an anchor, at first: at the anchor with a deviation of 0.14, probably present, of the
# anchor's scale and of depth 0 with a deviation of 0.14
FIRST_READING = (0.0, 0.0, -4.0, -4.0, 2.0, 0.0, 0.0, -4.0, -4.0, 0.0, -4.0)
# a window is this much larger than the box of its anchor
ROOM = 1.25
# of the logarithm of a scale: farthest from the anchor's
REACH = 0.7
SHAKE = (
    0.1  # of the window in which the look is read: deviation of its position, in sides, and of its log-scale
)
SMALLEST = 1 / 3
TEMPERATURE = 0.3  # difference of depths at which the order of two particles is soft
ERROR_OF_A_SHAPE = 310.0  # of the generated shapes: contrast times a window's pixels
# of the salient points, as many for each particle, are tried as anchors
CANDIDATES = 3
CLOSE = 0.02  # of a typical thing's contrast: larger differences from the background are things
PULL = 2.0  # on a background that is a little wrong, against that of the absolute error
COARSEST = 8  # pixels that are left of a window's side where anchors are chosen
FROM_SHADOW = 0.02  # what a shadow's difference from the ground counts
DARKEST = 0.35  # share of the light that a shadow leaves


class SizedEncoder(AnchoredEncoder):
    """Reads particles from anchors that have a size: boxes which one colour explains best.

    While training, the look is read in a window that is a little off, so that it cannot say where the thing
    stands in its window.
    """

    def __init__(self, config: ParticleSizes):
        super().__init__(config)
        self.where = GlimpseReader(config.channels + 1, self.context, len(FIRST_READING))
        with torch.no_grad():
            self.where.last.weight.mul_(0.1)
            self.where.last.bias.copy_(torch.tensor(FIRST_READING))
        # a window may be as large as the picture
        self.largest = max(self.size) / self.side

    def forward(self, image: Image, prior_image: Image, decoder: "SizedDecoder") -> Encoding:
        background, light = self._background(image, decoder)
        residual = _residual(image, background, light, decoder)
        points, salience = self._keypoints(residual)
        proposed_from = residual
        boxes = self._boxes(colour_and_amount(residual, decoder.contrast), points, salience)
        if prior_image is not image:
            proposed_from = _residual(prior_image, *self._background(prior_image, decoder), decoder)
            points, salience = self._keypoints(proposed_from)
        proposals = self._proposals(proposed_from, points, salience)
        position, presence, extent = self._measure(residual, boxes.points, boxes.sides)
        window = self._window(torch.cat([image, residual], 1), position.mean, extent.log_scale.mean)
        features = DiagonalNormal(*self.what(window).chunk(2, -1))
        glimpses = window[:, :, : image.shape[1]]
        return Encoding(proposals, position, presence, features, background, glimpses, extent, light)

    def _background(
        self, image: Image, decoder: "SizedDecoder"
    ) -> tuple[DiagonalNormal, Float[Tensor, "B L"]]:
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
        residual: Float[Tensor, "B D H W"],
        points: Float[Tensor, "B P 2"],
        salience: Float[Tensor, "B P"],
    ) -> Boxes:
        """The anchors, from the most salient points; on a smaller picture where things are large."""
        best = salience.topk(min(CANDIDATES * self.num_particles, points.shape[1]), dim=1).indices
        # a power of two, which divides sides of pictures
        shrink = 1 << (self.side // COARSEST).bit_length() - 1 if self.side >= COARSEST else 1
        small = F.avg_pool2d(residual, shrink)
        side = self.side / ROOM / shrink
        return boxes_of_one_value(small, take(points, best), self.num_particles, side)

    def _measure(
        self, residual: Image, anchors: Float[Tensor, "B K 2"], scale: Float[Tensor, "B K 2"]
    ) -> tuple[DiagonalNormal, Float[Tensor, "B K"], ExtentPosterior]:
        """Positions, presence and scales of the particles, read from a window around each anchor."""
        claimed = claimed_scaled(anchors, scale, self.context, self.size, width=self.side / 4)
        windows = cut_scaled(residual, anchors, scale, self.context)
        numbers = self.where(torch.cat([windows, claimed[:, :, None]], 2))
        offset = torch.tanh(numbers[..., :2]) * self.reach.to(residual) * scale
        position = DiagonalNormal((anchors + offset).clamp(-1, 1), numbers[..., 2:4])
        change = REACH * torch.tanh(numbers[..., 5:7] / REACH)
        smallest = scale.new_tensor(SMALLEST).log()
        largest = scale.new_tensor(self.largest).log()
        log_scale = (scale.log() + change).clamp(smallest, largest)
        present = torch.sigmoid(numbers[..., 4])
        presence = yielding_scaled(present, position.mean, log_scale.exp(), self.size, width=self.side / 6)
        depth = DiagonalNormal(numbers[..., 9], numbers[..., 10])
        extent = ExtentPosterior(DiagonalNormal(log_scale, numbers[..., 7:9]), scale.log(), depth)
        return position, presence, extent

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


class SizedDecoder(LeanDecoder):
    """Draws as `LeanDecoder` does, each glimpse at its scale, with the middle of what it shows at its position.

    The middle is the mean over the glimpse's pixels, weighted by alpha and by how far a pixel's colour is
    from the background's colours. So the features cannot move the drawing: the position alone says where.
    """

    starts_from = 256
    contrast: Tensor

    def __init__(self, config: ParticleSizes):
        super().__init__(config)
        self.size = config.image_size
        self.side = config.glimpse_size
        # squared difference from the background of pixels on things
        self.register_buffer("contrast", torch.tensor(1.0))

    @property
    def unit(self) -> Tensor:
        """The squared error that a typical thing makes where it is not drawn, 1 for the generated shapes.

        It grows with the number of a window's pixels and with the range of brightness, so that the weights of
        a loss that is divided by it mean the same for all data.
        """
        return self.contrast * self.side**2 / ERROR_OF_A_SHAPE

    @torch.no_grad()
    def start(self, pictures: Image) -> None:
        background = clean_background(pictures)
        self.start_background(background)
        squared = (pictures - light_of(pictures, background).on(background)).square().sum(1)
        # E[r^2] / E[r], whatever share of the pixels is on things
        contrast = squared.square().mean() / squared.mean().clamp_min(1e-12)
        self.contrast.copy_(contrast.clamp_min(1e-6))

    def lit(self, light: Float[Tensor, "B L"]) -> Image:
        """What is always the same, in the light of each picture."""
        gain, offset = light[:, :, None, None].chunk(2, 1)
        return gain * torch.sigmoid(10 * self.still) + offset

    def background_of_code(self, code: Float[Tensor, "B G"]) -> Image:
        """The scene that the code describes, in its light: gains, then offsets, of the colours."""
        channels = self.still.shape[0]
        gain, offset = code[:, -2 * channels :, None, None].chunk(2, 1)
        return gain * super().background_of_code(code[:, : -2 * channels]) + offset

    @torch.no_grad()
    def light(self, image: Image) -> Float[Tensor, "B L"]:
        """The gain and the offset of each colour with which each picture shows what is always the same."""
        light = light_of(image, torch.sigmoid(10 * self.still))
        return torch.cat([light.gain, light.offset], 1)[:, :, 0, 0]

    def background_error(self, background: Float[Tensor, "B G"], image: Image) -> Float[Tensor, "B"]:
        return self._error_outside_things(self.background_of_code(background), image)

    def behind_particles(self, background: Image, image: Image) -> tuple[Image, Float[Tensor, "B"]]:
        """The background, which learns from its own loss alone.

        Through the drawn picture it would take over what particles draw badly: their blurred edges stay on it,
        also where no particle is.
        """
        return background.detach(), self._error_outside_things(background, image)

    def _error_outside_things(self, background: Image, image: Image) -> Float[Tensor, "B"]:
        """The error of the background, where it is nearly right.

        It hardly pulls where the background is very wrong: there stands a thing (Geman & McClure 1987). The
        pull of the absolute error, the same everywhere, paints in what stands still in most pictures.
        """
        squared = (background - image).square().sum(1)
        close = CLOSE * self.contrast
        return (PULL * close.sqrt() * squared / (squared + close)).sum((1, 2))

    def render(
        self,
        glimpses: Float[Tensor, "B K D S S"],
        position: Float[Tensor, "B K 2"],
        extent: Extent | None,
        presence: Float[Tensor, "B K"],
        background: Image,
        grain: Float[Tensor, "B K s s"] | None = None,
    ) -> Image:
        assert extent is not None
        middle = self._windows_at(glimpses, position, extent.scale)
        picture = render_scaled(glimpses, middle, extent.scale, presence, background, grain)
        if not extent.depth.requires_grad:
            return picture
        particles = ScaledParticles(glimpses, middle, extent.scale, presence, grain)
        return with_depth_gradient(picture, extent.depth, particles, TEMPERATURE)

    def windows(
        self,
        glimpses: Float[Tensor, "B K D S S"],
        position: Float[Tensor, "B K 2"],
        extent: Extent | None,
        canvas: tuple[int, int],
    ) -> Windows:
        assert extent is not None
        middle = self._windows_at(glimpses, position, extent.scale)
        return place_scaled(glimpses, middle, extent.scale, canvas)

    def _windows_at(
        self,
        glimpses: Float[Tensor, "B K D S S"],
        position: Float[Tensor, "B K 2"],
        scale: Float[Tensor, "B K 2"],
    ) -> Float[Tensor, "B K 2"]:
        """The middles of the windows that show each particle in the middle of its position."""
        half = torch.tensor(self.size, device=position.device) / 2
        return position - self.middle(glimpses) * scale / half

    def middle(self, glimpses: Float[Tensor, "B K D S S"]) -> Float[Tensor, "B K 2"]:
        """The middle of what each glimpse shows, in pixels of the glimpse from its middle."""
        weight = self.shown(glimpses)
        steps = torch.arange(weight.shape[-1], device=weight.device) - (weight.shape[-1] - 1) / 2
        total = weight.sum((2, 3)) + 1e-3
        rows = (weight.sum(3) * steps).sum(2) / total
        columns = (weight.sum(2) * steps).sum(2) / total
        return torch.stack([rows, columns], -1)

    def shown(self, glimpses: Float[Tensor, "B K D S S"]) -> Float[Tensor, "B K S S"]:
        """How much each pixel of a glimpse shows: alpha times the difference from the background's colours."""
        with torch.no_grad():
            colours = rearrange(torch.sigmoid(10 * self.still), "c h w -> c (h w) 1")
            mean = colours.mean(1, keepdim=True)
            spread = unlike(colours, mean).mean()
        difference = unlike(rearrange(glimpses[:, :, 1:], "b k c r s -> (b k) c r s"), mean)
        return glimpses[:, :, 0] * (difference.view_as(glimpses[:, :, 0]) + spread)


@torch.no_grad()
def _residual(
    image: Image, background: DiagonalNormal, light: Float[Tensor, "B L"], decoder: SizedDecoder
) -> Image:
    """What the background does not explain."""
    return image - decoder.background_of_code(torch.cat([background.mean, light], 1))


def unlike(colours: Float[Tensor, "*n c r s"], ground: Float[Tensor, "c 1 1"]) -> Float[Tensor, "*n r s"]:
    """The squared distance of each pixel's colour from the ground's, in any shadow.

    A shadow multiplies all colours by one factor. What is as bright as the ground or darker, but of its hue,
    may be ground in a shadow, and counts little.
    """
    light = (colours * ground).sum(-3, keepdim=True) / ground.square().sum().clamp_min(1e-6)
    shaded = light.clamp(DARKEST, 1) * ground
    plain = (colours - ground).square().sum(-3)
    return (colours - shaded).square().sum(-3) + FROM_SHADOW * plain
