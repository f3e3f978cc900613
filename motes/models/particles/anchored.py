"""The anchored networks: particles start from anchors, and one small network reads position and presence of
all.

Apart from the background's, no parameter's shape depends on the number of particles or the picture's size.
"""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from motes.models.particles.encoding import DiagonalNormal, Encoding
from motes.models.particles.parts import OneSize, ParticleSizes
from motes.nn.blocks.normalisation import BatchNorm
from motes.nn.blocks.upward import UpwardNetwork
from motes.ops.pictures.clean_background import clean_background
from motes.ops.pictures.shadows import SHADOW_IN_A_GLIMPSE, unlike
from motes.ops.points.keypoints import (
    at_points,
    box_means,
    centroids,
    marginal_soft_argmax,
    patch_to_image,
    split_patches,
    spread_first,
    take,
)
from motes.ops.rendering.crowding import claimed_before, yielding
from motes.ops.rendering.glimpse import cut_glimpses
from motes.types.latents import Image, Particles

# of the numbers read at an anchor, at first: at the anchor, with a deviation of 0.14, probably present
FIRST_READING = (0.0, 0.0, -4.0, -4.0, 2.0)


class AnchoredEncoder(nn.Module):
    """Reads particles from anchors: points, far from each other, where the background does not explain the
    picture.

    Positions and presence are read from the residual too: the residual of a static texture is blank, whatever
    the texture.
    """

    def __init__(self, config: ParticleSizes):
        super().__init__()
        self.patch = config.patch_size
        self.size = config.image_size
        self.num_particles = config.num_particles
        self.num_proposals = config.num_proposals
        self.side = config.glimpse_size
        # side of the window that is read at an anchor: half as much again as a glimpse, and even
        self.context = self.side + 2 * (self.side // 4)
        # largest offset from an anchor, in half pictures: half a window
        self.reach = self.context / torch.tensor(self.size, dtype=torch.float32)
        self.prior = PatchKeypoints(config.channels)
        self.where = GlimpseReader(config.channels + 1, self.context, len(FIRST_READING))
        self.what = GlimpseReader(2 * config.channels, self.side, 2 * config.feature_dim)
        self.around = BackgroundReader(config.channels, 2 * config.feature_dim)
        with torch.no_grad():
            self.where.last.weight.mul_(0.1)
            self.where.last.bias.copy_(torch.tensor(FIRST_READING))

    def presence_parameters(self) -> list[nn.Parameter]:
        """An empty list: the network that reads positions also reads presence."""
        return []

    def forward(self, image: Image, prior_image: Image | None, decoder: "LeanDecoder") -> Encoding:
        background = DiagonalNormal(*self.around(image).chunk(2, -1))
        with torch.no_grad():
            residual = image - decoder.background_of_code(background.mean)
        points, salience = self._keypoints(residual)
        anchors = self._anchors(points, salience)
        proposed_from = residual
        if prior_image is not None and prior_image is not image:
            proposed_from = self._residual_of_pair(prior_image, decoder)
            points, salience = self._keypoints(proposed_from)
        proposals = self._proposals(proposed_from, points, salience)
        position, presence = self._locate(residual, anchors)
        window = cut_glimpses(torch.cat([image, residual], 1), position.mean.detach(), self.side)
        features = DiagonalNormal(*self.what(window).chunk(2, -1))
        return Encoding(proposals, position, presence, features, background, window[:, :, : image.shape[1]])

    @torch.no_grad()
    def _keypoints(self, residual: Image) -> tuple[Float[Tensor, "B P 2"], Float[Tensor, "B P"]]:
        """One point for each patch, in the coordinates of the picture, and the mean of |residual| around each
        point."""
        local = rearrange(
            self.prior(split_patches(residual, self.patch)), "(b p) d -> b p d", b=residual.shape[0]
        )
        points = patch_to_image(local, self.patch, self.size)
        amount = box_means(residual.abs().mean(1), self.patch // 2)
        return points, at_points(amount, points)

    def _proposals(
        self, residual: Image, points: Float[Tensor, "B P 2"], salience: Float[Tensor, "B P"]
    ) -> Float[Tensor, "B M 2"]:
        """The most salient points.

        Where the prior learns, it reads their patches a second time: no gradient reaches the other patches,
        and most of the cost is the gradient's.
        """
        best = salience.topk(min(self.num_proposals, points.shape[1]), dim=1).indices
        if not torch.is_grad_enabled():
            return take(points, best)
        patches = rearrange(split_patches(residual, self.patch), "(b p) c r s -> b p c r s", b=best.shape[0])
        local = rearrange(self.prior(take(patches, best).flatten(0, 1)), "(b m) d -> b m d", b=best.shape[0])
        return patch_to_image(local, self.patch, self.size, best)

    @torch.no_grad()
    def _residual_of_pair(self, prior_image: Image, decoder: "LeanDecoder") -> Image:
        """What the background does not explain of the second picture of each warped pair."""
        background = self.around(prior_image).chunk(2, -1)[0]
        return prior_image - decoder.background_of_code(background)

    @torch.no_grad()
    def _anchors(
        self, points: Float[Tensor, "B P 2"], salience: Float[Tensor, "B P"]
    ) -> Float[Tensor, "B K 2"]:
        """The K most salient points, at least a glimpse apart as long as there are enough such points."""
        least_distance = self.side / max(self.size)
        return take(points, spread_first(points, salience, self.num_particles, least_distance))

    def _locate(
        self, residual: Image, anchors: Float[Tensor, "B K 2"]
    ) -> tuple[DiagonalNormal, Float[Tensor, "B K"]]:
        """Positions and presence of the particles, read from a window around each anchor.

        The network also reads which pixels earlier anchors claim, so the first of two particles at one object
        can take it. Otherwise equal networks that read equal pixels would each take half of the object.
        """
        claimed = claimed_before(anchors, self.context, self.size, width=self.side / 4)
        windows = cut_glimpses(residual, anchors, self.context)
        numbers = self.where(torch.cat([windows, claimed[:, :, None]], 2))
        offset = torch.tanh(numbers[..., :2]) * self.reach.to(residual)
        position = DiagonalNormal((anchors + offset).clamp(-1, 1), numbers[..., 2:4])
        presence = yielding(torch.sigmoid(numbers[..., 4]), position.mean, self.size, width=self.side / 6)
        return position, presence


class PatchKeypoints(nn.Module):
    """Maps each patch to one point, the soft arg-max of a heat map; a flat patch gives its middle."""

    def __init__(self, channels: int, width: int = 16):
        super().__init__()
        self.lift = nn.Conv2d(channels, width, 3, stride=2, padding=1, padding_mode="replicate")
        self.mix = nn.Conv2d(width, 2 * width, 3, padding=1, padding_mode="replicate")
        self.heat = nn.Conv2d(2 * width, 1, 1)

    def forward(self, patches: Float[Tensor, "N C p p"]) -> Float[Tensor, "N 2"]:
        lifted = self.lift(patches)
        if self.training:
            # quicker, but not the same to the last bit: a model in use keeps the plain order (see `conv`)
            lifted = lifted.contiguous(memory_format=torch.channels_last)
        heat = self.heat(F.relu(self.mix(F.relu(lifted))))
        return marginal_soft_argmax(heat[:, 0])


class GlimpseReader(nn.Module):
    """Maps a glimpse to a few numbers: strided convolutions down to 4 pixels or fewer, then two linear
    layers."""

    def __init__(self, channels: int, side: int, outputs: int, width: int = 32):
        super().__init__()
        layers: list[nn.Module] = []
        while side > 4:
            convolution = nn.Conv2d(channels, width, 4, stride=2, padding=1, bias=False)
            layers += [convolution, BatchNorm(width), nn.ReLU(inplace=True)]
            channels = width
            width = min(2 * width, 64)
            side = side // 2
        self.body = nn.Sequential(*layers)
        first = nn.Linear(channels * side * side, 128)
        self.head = nn.Sequential(first, nn.ReLU(), nn.Linear(128, outputs))

    @property
    def last(self) -> nn.Linear:
        """The last layer, whose bias sets the numbers at the start of training."""
        layer = self.head[-1]
        assert isinstance(layer, nn.Linear)
        return layer

    def forward(self, glimpses: Float[Tensor, "B K C S S"]) -> Float[Tensor, "B K n"]:
        rows = rearrange(glimpses, "b k c r s -> (b k) c r s").contiguous(memory_format=torch.channels_last)
        # in memory's order, on the way back too
        features = rearrange(self.body(rows), "n c r s -> n (r s c)")
        return rearrange(self.head(features), "(b k) n -> b k n", b=glimpses.shape[0])


class BackgroundReader(nn.Module):
    """Maps the picture, reduced to a sixteenth of its sides, to a few numbers that describe the
    background."""

    def __init__(self, channels: int, outputs: int, width: int = 16):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, width, 4, stride=4),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 4, stride=4),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(4),
        )
        self.head = nn.Sequential(nn.Linear(2 * width * 16, 64), nn.ReLU(), nn.Linear(64, outputs))

    def forward(self, image: Image) -> Float[Tensor, "B n"]:
        return self.head(self.body(image).flatten(1))


class LeanDecoder(OneSize, nn.Module):
    """Draws particles' features as small pictures with alpha, and one code as a background that ignores
    particles."""

    starts_from = 128

    def __init__(self, config: ParticleSizes):
        super().__init__()
        side = config.glimpse_size
        self.look = UpwardNetwork(config.feature_dim, (side, side), config.channels + 1, width=64)
        self.scene = UpwardNetwork(config.feature_dim, config.image_size, config.channels, width=32)
        # what is the same in all pictures, to the pixel
        self.still = nn.Parameter(torch.zeros(config.channels, *config.image_size))

    def background_parameters(self) -> list[nn.Parameter]:
        """An empty list: the background learns from the first step, since anchors depend on it."""
        return []

    def glimpses(self, features: Float[Tensor, "B K F"]) -> Float[Tensor, "B K D S S"]:
        drawn = torch.sigmoid(self.look(rearrange(features, "b k f -> (b k) f")))
        return rearrange(drawn, "(b k) d r s -> b k d r s", b=features.shape[0])

    def background(
        self, position: Tensor, features: Tensor, background: Tensor, background_position: Tensor
    ) -> Image:
        return self.background_of_code(background)

    def background_error(self, background: Float[Tensor, "B F"], image: Image) -> Float[Tensor, "B"]:
        """The absolute error of the background, in place of the squared error.

        It leads to the median over pictures, which is the background; the mean has a shade of every object
        that ever stood there.
        """
        return (self.background_of_code(background) - image).abs().sum((1, 2, 3))

    def background_of_code(self, code: Float[Tensor, "B F"]) -> Image:
        # tenfold: Adam moves all weights alike, and these have far to go
        still = 10 * rearrange(self.still, "c h w -> 1 c h w").contiguous(memory_format=torch.channels_last)
        return torch.sigmoid(self.scene(code) + still)

    def middles(self, particles: Particles) -> Float[Tensor, "B K 2"]:
        """The centroid of what each particle draws inside the picture.

        A pixel weighs alpha times the distance of its colour from the background behind it, in any shadow. The
        features may draw a thing anywhere in a glimpse, and alpha may reach beyond it: over its shadow, or painted
        as the background.
        """
        glimpses = self.glimpses(particles.features)
        background = self.background_of_code(particles.background)
        canvas = torch.cat([torch.ones_like(background[:, :1]), background], 1)
        window = cut_glimpses(canvas, particles.position, glimpses.shape[-1])
        # less than 1 where the picture ends, and at some edges of a window
        inside = window[:, :, :1]
        behind = window[:, :, 1:] / inside.clamp_min(0.01)
        contrast = unlike(glimpses[:, :, 1:], behind, SHADOW_IN_A_GLIMPSE).sqrt()
        offset = centroids(glimpses[:, :, 0] * contrast * inside[:, :, 0], floor=1e-3)
        half = torch.tensor(background.shape[2:], device=offset.device) / 2
        return particles.position + offset / half

    def start(self, pictures: Image) -> None:
        self.start_background(clean_background(pictures))

    @torch.no_grad()
    def start_background(self, picture: Float[Tensor, "C H W"]) -> None:
        self.still.copy_(picture.clamp(0.005, 0.995).logit() / 10)
        # what differs between pictures comes later
        self.scene.colour.weight.mul_(0.1)
