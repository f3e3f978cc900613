"""The sized decoder: glimpses at their scales, centred on positions, over a background that learns by itself."""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from motes.models.particles.anchored import LeanDecoder
from motes.models.particles.encoding import Drawn
from motes.models.particles.parts import SizedSizes
from motes.ops.pictures.blobs import Blobs, find_blobs
from motes.ops.pictures.clean_background import STILL_SHARE, clean_background, still_share
from motes.ops.pictures.light import light_of
from motes.ops.pictures.shadows import SHADOW_IN_A_GLIMPSE, unlike
from motes.ops.points.boxes_of_things import Foreground
from motes.ops.points.keypoints import centroids
from motes.ops.rendering.composite_scaled import render_scaled
from motes.ops.rendering.depth import with_depth_gradient
from motes.ops.rendering.glimpse import Windows
from motes.ops.rendering.layers_scaled import ScaledParticles
from motes.ops.rendering.scaled import place_scaled
from motes.types.latents import Image, Particles

ROUGH = 6  # cells along a side of a glimpse, in which its rough look is read and drawn by linear maps
TEMPERATURE = 0.3  # difference of depths at which the order of two particles is soft
ERROR_OF_A_SHAPE = 310.0  # of the generated shapes: contrast times a window's pixels
CLOSE = 0.02  # of a typical thing's contrast: larger differences from the background are things
# weight of the background's own loss: on the generated shapes it pulls where it is a little wrong about twice as
# strongly as the absolute error
PULL = 12.7
# of a typical thing's contrast: what is more is a thing or a faint part of one; and surely belongs to a thing
ANY = 0.03
THING = 0.1
LEAST = 0.002  # of a picture: what is less is no thing
# things may be so much longer than the 90 % quantile of the blobs that are seen, and than what the spread of the
# smaller half allows
LONGER = 1.4
SLACK = 1.1
# of a typical thing's contrast: variance of colours that things have at least
ALIKE = 0.02 / 3
# of a typical thing's contrast: a pixel that differs so much belongs to a thing or does not, as likely
HALF = 0.1
SHADOW = 0.4  # what a shadow's difference from the ground counts for where a thing is


class SizedDecoder(LeanDecoder):
    """Draws as `LeanDecoder` does, each glimpse at its scale, with the middle of what it shows at its position.

    The middle is the mean over the glimpse's pixels, weighted by alpha and by how far a pixel's colour is
    from the background's colours. So the features cannot move the drawing: the position alone says where.
    """

    starts_from = 256
    magnified: Tensor
    contrast: Tensor
    sides: Tensor
    units_of_colour: Tensor
    varies: Tensor

    def __init__(self, config: SizedSizes):
        super().__init__(config)
        self.kind_of_background = config.background
        self.size = config.image_size
        self.side = config.glimpse_size
        self.rough = nn.Linear(config.feature_dim, (config.channels + 1) * ROUGH**2)
        # cells to pixels, along an axis; as products, which are deterministic on a GPU too
        to_pixels = F.interpolate(torch.eye(ROUGH)[None], size=self.side, mode="linear")[0].T
        self.register_buffer("magnified", to_pixels, persistent=False)
        # squared difference from the background of pixels on things
        self.register_buffer("contrast", torch.tensor(1.0))
        # the shortest and the longest side of things, in pixels; 0 is unknown
        self.register_buffer("sides", torch.zeros(2))
        # brings differences from the background to units of how much colours differ within a thing
        self.register_buffer("units_of_colour", torch.eye(config.channels))
        # 0 where the background is still, but for the light; 1 where its code describes it
        self.register_buffer("varies", torch.tensor(1.0))

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
        self.varies.fill_(not self._is_still(pictures, background))
        residual = pictures - light_of(pictures, background).on(background)
        squared = residual.square().sum(1)
        # E[r^2] / E[r], whatever share of the pixels is on things
        contrast = squared.square().mean() / squared.mean().clamp_min(1e-12)
        self.contrast.copy_(contrast.clamp_min(1e-6))
        whole, inner = (self._blobs(squared, share) for share in (ANY, THING))
        if len(inner.picture):
            self.sides.copy_(_sides_of_things(whole))
            covariance = _covariance_within(inner, residual)
            covariance.diagonal().add_(ALIKE * self.contrast)
            self.units_of_colour.copy_(_inverse_root(covariance) / len(background) ** 0.5)

    def _is_still(self, pictures: Image, background: Float[Tensor, "C H W"]) -> bool:
        # where the light changes much, so does what it falls on
        if self.kind_of_background == "auto":
            return still_share(pictures, background) >= STILL_SHARE
        return self.kind_of_background == "still"

    def _blobs(self, squared: Float[Tensor, "B H W"], share: float) -> Blobs:
        """What differs from the background by more than this share of a typical thing's contrast."""
        return find_blobs(squared > share * self.contrast, least_area=LEAST * squared[0].numel())

    @torch.no_grad()
    def foreground(self, image: Image, background: Image) -> Foreground:
        """The pixels of each picture that differ from its background, but for shadows."""
        squared = unlike(image, background, SHADOW)[:, None]
        amount = squared / (squared + HALF * self.contrast)
        colour = torch.einsum("dc,bchw->bdhw", self.units_of_colour, image - background)
        return Foreground(amount, colour)

    def upgrade(self, weights: dict[str, Tensor], prefix: str) -> None:
        """From the time when every background had a code; and when the short way had one colour for a whole glimpse,
        and no alpha.
        """
        weights.setdefault(f"{prefix}varies", torch.tensor(1.0))
        for name in ("weight", "bias"):
            tint = weights.pop(f"{prefix}tint.{name}", None)
            if tint is not None:
                cells = tint.repeat_interleave(ROUGH**2, 0)
                no_alpha = torch.zeros_like(cells[: ROUGH**2])
                weights[f"{prefix}rough.{name}"] = torch.cat([no_alpha, cells])

    def glimpses(self, features: Float[Tensor, "B K F"]) -> Float[Tensor, "B K D S S"]:
        drawn = self.look(rearrange(features, "b k f -> (b k) f"))
        cells = rearrange(self.rough(features), "b k (d r s) -> (b k) d r s", r=ROUGH, s=ROUGH)
        rough = self.magnified @ cells @ self.magnified.mT
        return rearrange(torch.sigmoid(drawn + rough), "(b k) d r s -> b k d r s", b=features.shape[0])

    def lit(self, light: Float[Tensor, "B L"]) -> Image:
        """What is always the same, in the light of each picture."""
        return _in_light(self.unchanging, light)

    def background_of_code(self, code: Float[Tensor, "B G"]) -> Image:
        """The scene that the code describes, in the light whose numbers follow it.

        A still scene stays as it was found, whatever the code: by learning it would take over what stands in most
        pictures, and a code that knows of a thing would paint it.
        """
        numbers = 2 * self.still.shape[0]
        # its value, with a gradient where the scene varies
        still = torch.lerp(self.still.detach(), self.still, self.varies)
        scene = torch.sigmoid(self.varies * self.scene(code[:, :-numbers]) + 10 * still)
        return _in_light(scene, code[:, -numbers:])

    @property
    def unchanging(self) -> Float[Tensor, "C H W"]:
        """What is always the same, before the code changes anything."""
        return torch.sigmoid(10 * self.still)

    @torch.no_grad()
    def light(self, image: Image) -> Float[Tensor, "B L"]:
        """The gain and the offset of each colour with which each picture shows what is always the same."""
        light = light_of(image, self.unchanging)
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
        return (PULL * close * squared / (squared + close)).sum((1, 2))

    def render(self, drawn: Drawn, background: Image, grain: Float[Tensor, "B K s s"] | None = None) -> Image:
        assert drawn.extent is not None
        middle = self._windows_at(drawn.glimpses, drawn.position, drawn.extent.scale)
        particles = ScaledParticles(drawn.glimpses, middle, drawn.extent.scale, drawn.presence, grain)
        picture = render_scaled(*particles[:4], background, grain)
        if not drawn.extent.depth.requires_grad:
            return picture
        return with_depth_gradient(picture, drawn.extent.depth, particles, TEMPERATURE)

    def windows(self, drawn: Drawn, canvas: tuple[int, int]) -> Windows:
        assert drawn.extent is not None
        middle = self._windows_at(drawn.glimpses, drawn.position, drawn.extent.scale)
        return place_scaled(drawn.glimpses, middle, drawn.extent.scale, canvas)

    def _windows_at(
        self,
        glimpses: Float[Tensor, "B K D S S"],
        position: Float[Tensor, "B K 2"],
        scale: Float[Tensor, "B K 2"],
    ) -> Float[Tensor, "B K 2"]:
        """The middles of the windows that show each particle in the middle of its position."""
        half = torch.tensor(self.size, device=position.device) / 2
        return position - self.middle(glimpses) * scale / half

    def middles(self, particles: Particles) -> Float[Tensor, "B K 2"]:
        """The positions: there the middles are laid."""
        return particles.position

    def middle(self, glimpses: Float[Tensor, "B K D S S"]) -> Float[Tensor, "B K 2"]:
        """The middle of what each glimpse shows, in pixels of the glimpse from its middle."""
        return centroids(self.shown(glimpses), floor=1e-3)

    def shown(self, glimpses: Float[Tensor, "B K D S S"]) -> Float[Tensor, "B K S S"]:
        """How much each pixel of a glimpse shows: alpha times the difference from the background's colours."""
        with torch.no_grad():
            colours = rearrange(self.unchanging, "c h w -> c (h w) 1")
            mean = colours.mean(1, keepdim=True)
            spread = unlike(colours, mean, SHADOW_IN_A_GLIMPSE).mean()
        difference = unlike(
            rearrange(glimpses[:, :, 1:], "b k c r s -> (b k) c r s"), mean, SHADOW_IN_A_GLIMPSE
        )
        return glimpses[:, :, 0] * (difference.view_as(glimpses[:, :, 0]) + spread)


def _in_light(picture: Float[Tensor, "*b C H W"], light: Float[Tensor, "B L"]) -> Image:
    """A picture in each light: gains, then offsets, of the colours."""
    gain, offset = light[:, :, None, None].chunk(2, 1)
    return gain * picture + offset


def _sides_of_things(blobs: Blobs) -> Float[Tensor, "2"]:
    """The shortest and the longest side that a thing may have.

    The less the sides of blobs differ, the closer things keep to them: two that touch are then too long for one.
    So the longest is as much above the median as the median is above the 10 % quantile; large blobs may be several
    things. Small blobs are weighed by their pixels: most are parts of things at the picture's edges.
    """
    sides = blobs.sides().amax(1).float()
    order = sides.argsort()
    pixels = blobs.area[order].cumsum(0) / blobs.area.sum()
    low, median, high = (sides[order[(pixels < share).sum()]] for share in (0.1, 0.5, 0.9))
    longest = torch.minimum(LONGER * sides.quantile(0.9), SLACK * median * median / low)
    return torch.stack([low * low / high, longest])


def _covariance_within(blobs: Blobs, residual: Image) -> Float[Tensor, "c c"]:
    """How colours vary within things: within the smaller half of the blobs, since large ones may be several."""
    is_small = blobs.area <= blobs.area.float().median()
    number = blobs.map
    chosen = (number >= 0) & is_small[number]
    number = number[chosen]
    colours = rearrange(residual, "n c h w -> n h w c")[chosen]
    sums = torch.zeros(len(blobs.area), colours.shape[1], device=colours.device).index_add(0, number, colours)
    apart = colours - (sums / blobs.area[:, None])[number]
    return apart.T @ apart / len(apart)


def _inverse_root(covariance: Float[Tensor, "c c"]) -> Float[Tensor, "c c"]:
    values, vectors = torch.linalg.eigh(covariance)
    return vectors @ torch.diag(values.rsqrt()) @ vectors.T
