"""Particles that start from proposals: one small shared network reads, at each anchor, where the thing is,
whether, and its look.

No parameter's shape depends on the number of particles or on the picture's size, but for the background.
"""

from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from motes.models.particles.parts import Encoding, Normal
from motes.nn.blocks.normalisation import BatchNorm
from motes.nn.blocks.upward import UpwardNetwork
from motes.ops.points.keypoints import (
    at_points,
    marginal_soft_argmax,
    patch_to_image,
    split_patches,
    spread_first,
    take,
)
from motes.ops.rendering.crowding import claimed_before, yielding
from motes.ops.rendering.glimpse import cut_glimpses


class AnchoredEncoder(nn.Module):
    """Anchors are proposals where the background alone does not explain the picture, far from each other.

    What it leaves is also what positions and presence are read from: a window on static texture is blank,
    whatever the texture.
    """

    def __init__(self, config: Any):
        super().__init__()
        self.patch = config.patch_size
        self.size = tuple(config.image_size)
        self.num_particles = config.num_particles
        self.num_proposals = config.num_proposals
        self.side = config.glimpse_size
        self.context = self.side + 2 * (self.side // 4)  # what is read at an anchor: half as much again, even
        self.reach = self.context / torch.tensor(
            self.size, dtype=torch.float32
        )  # of an offset: half a context, in half pictures
        self.prior = PatchPrior(config.channels)
        self.where = GlimpseReader(config.channels + 1, self.context, 5)
        self.what = GlimpseReader(2 * config.channels, self.side, 2 * config.feature_dim)
        self.around = BackgroundReader(config.channels, 2 * config.feature_dim)
        with torch.no_grad():
            final: Any = self.where.head[-1]
            final.weight.mul_(0.1)
            final.bias.copy_(
                torch.tensor([0.0, 0.0, -4.0, -4.0, 2.0])
            )  # at the anchor, within 0.14, probably there

    @classmethod
    def from_config(cls, config: Any) -> "AnchoredEncoder":
        return cls(config)

    def presence_parameters(self) -> list[nn.Parameter]:
        return []  # presence is read by the network that reads positions

    def forward(
        self, image: Float[Tensor, "B C H W"], prior_image: Float[Tensor, "B C H W"], decoder: Any
    ) -> Encoding:
        background = Normal(*self.around(image).chunk(2, -1))
        with torch.no_grad():
            scene = decoder.scene_of(background.mean)
        residual = image - scene
        points, salience = self._propose(residual)
        with torch.no_grad():
            anchors = take(
                points, spread_first(points, salience, self.num_particles, self.side / max(self.size))
            )
        if prior_image is not image:
            with torch.no_grad():
                scene = decoder.scene_of(self.around(prior_image).chunk(2, -1)[0])
            points, salience = self._propose(prior_image - scene)
        proposals = take(points, salience.topk(min(self.num_proposals, points.shape[1]), dim=1).indices)
        # what was claimed by the anchors chosen before: two that see one thing can so agree that the first
        # takes it; without, equal
        # networks looking at equal pixels share it by halves
        claimed = claimed_before(anchors, self.context, self.size, width=self.side / 4)
        read = self.where(torch.cat([cut_glimpses(residual, anchors, self.context), claimed[:, :, None]], 2))
        offset = torch.tanh(read[..., :2]) * self.reach.to(image)
        position = Normal((anchors + offset).clamp(-1, 1), read[..., 2:4])
        presence = yielding(torch.sigmoid(read[..., 4]), position.mean, self.size, width=self.side / 6)
        seen = cut_glimpses(torch.cat([image, residual], 1), position.mean.detach(), self.side)
        features = Normal(*self.what(seen).chunk(2, -1))
        return Encoding(proposals, position, presence, features, background, seen[:, :, : image.shape[1]])

    def _propose(self, residual: Tensor) -> tuple[Float[Tensor, "B P 2"], Float[Tensor, "B P"]]:
        """A point of every patch in the picture's frame, and the mean of |residual| over a patch around
        it."""
        local = rearrange(
            self.prior(split_patches(residual, self.patch)), "(b p) d -> b p d", b=len(residual)
        )
        points = patch_to_image(local, self.patch, self.size)
        reach = self.patch // 2
        amount = F.avg_pool2d(residual.abs().mean(1, keepdim=True), 2 * reach + 1, stride=1, padding=reach)
        return points, at_points(amount[:, 0], points.detach())


class PatchPrior(nn.Module):
    """One point a patch: the soft arg-max of a heat map; a flat patch gives its middle."""

    def __init__(self, channels: int, width: int = 16):
        super().__init__()
        self.lift = nn.Conv2d(channels, width, 3, stride=2, padding=1, padding_mode="replicate")
        self.mix = nn.Conv2d(width, 2 * width, 3, padding=1, padding_mode="replicate")
        self.heat = nn.Conv2d(2 * width, 1, 1)

    def forward(self, patches: Float[Tensor, "N C p p"]) -> Float[Tensor, "N 2"]:
        heat = self.heat(F.relu(self.mix(F.relu(self.lift(patches)))))
        return marginal_soft_argmax(heat[:, 0])


class GlimpseReader(nn.Module):
    """A glimpse to a few numbers: strided convolutions down to 4 pixels or fewer, then two linear layers."""

    def __init__(self, channels: int, side: int, outputs: int, width: int = 32):
        super().__init__()
        layers: list[nn.Module] = []
        while side > 4:
            layers += [
                nn.Conv2d(channels, width, 4, stride=2, padding=1, bias=False),
                BatchNorm(width),
                nn.ReLU(),
            ]
            channels = width
            width = min(2 * width, 64)
            side = side // 2
        self.body = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Linear(channels * side * side, 128), nn.ReLU(), nn.Linear(128, outputs))

    def forward(self, glimpses: Float[Tensor, "B K C S S"]) -> Float[Tensor, "B K n"]:
        rows = rearrange(glimpses, "b k c r s -> (b k) c r s").contiguous(memory_format=torch.channels_last)
        features = rearrange(
            self.body(rows), "n c r s -> n (r s c)"
        )  # in memory's order, on the way back too
        return rearrange(self.head(features), "(b k) n -> b k n", b=len(glimpses))


class BackgroundReader(nn.Module):
    """The picture at a sixteenth of its sides, to a few numbers."""

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

    def forward(self, image: Float[Tensor, "B C H W"]) -> Float[Tensor, "B n"]:
        return self.head(self.body(image).flatten(1))


class LeanDecoder(nn.Module):
    """Looks to small pictures with alpha, and one code to a background that knows nothing of the
    particles."""

    starts_from = 128

    def __init__(self, config: Any):
        super().__init__()
        self.side = config.glimpse_size
        self.size = tuple(config.image_size)
        self.look = UpwardNetwork(config.feature_dim, (self.side, self.side), config.channels + 1, width=64)
        self.scene = UpwardNetwork(config.feature_dim, self.size, config.channels, width=32)
        self.still = nn.Parameter(
            torch.zeros(config.channels, *self.size)
        )  # what is the same in all pictures, to the pixel

    @classmethod
    def from_config(cls, config: Any) -> "LeanDecoder":
        return cls(config)

    def background_parameters(self) -> list[nn.Parameter]:
        return []  # it is learnt from the first step, or nobody knew where to look

    def glimpses(self, features: Float[Tensor, "B K F"]) -> Float[Tensor, "B K D S S"]:
        drawn = torch.sigmoid(self.look(rearrange(features, "b k f -> (b k) f")))
        return rearrange(drawn, "(b k) d r s -> b k d r s", b=len(features))

    def background(
        self, position: Tensor, features: Tensor, background: Tensor, background_position: Tensor
    ) -> Float[Tensor, "B C H W"]:
        return self.scene_of(background)

    def background_error(
        self, background: Float[Tensor, "B F"], image: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, "B"]:
        """Absolute, not squared: the median over pictures is the ground, the mean has a shade of all that
        ever stood there."""
        return (self.scene_of(background) - image).abs().sum((1, 2, 3))

    def scene_of(self, code: Float[Tensor, "B F"]) -> Float[Tensor, "B C H W"]:
        return torch.sigmoid(
            self.scene(code) + 10 * self.still
        )  # tenfold: Adam moves all weights alike, and these have far to go

    @torch.no_grad()
    def start_background(self, picture: Float[Tensor, "C H W"]) -> None:
        self.still.copy_(picture.clamp(0.005, 0.995).logit() / 10)
        self.scene.colour.weight.mul_(0.1)  # what differs between pictures comes later
