"""The interfaces between the parts of a particle model, and the options that these parts read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError
from motes.ops.densities.divergence import kl_to_normal, kl_to_standard_normal, sample_normal
from motes.ops.rendering.composite import render
from motes.ops.rendering.glimpse import Windows, place_glimpses
from motes.types.batch import Batch
from motes.types.latents import Extent, Image

SCALE_STD = 0.3  # of a particle's log-scale about its anchor's

# of a configuration


@runtime_checkable
class ParticleSizes(Protocol):
    """The sizes that the configuration of every particle model has."""

    @property
    def image_size(self) -> tuple[int, int]: ...

    @property
    def channels(self) -> int: ...

    @property
    def num_particles(self) -> int: ...

    @property
    def num_proposals(self) -> int: ...

    @property
    def feature_dim(self) -> int: ...

    @property
    def patch_size(self) -> int: ...

    @property
    def glimpse_size(self) -> int: ...


@runtime_checkable
class HeatMapSizes(ParticleSizes, Protocol):
    """The sizes that networks with heat maps read beside those of `ParticleSizes`."""

    @property
    def encoder_channels(self) -> Sequence[int]: ...

    @property
    def prior_channels(self) -> Sequence[int]: ...

    @property
    def prior_std(self) -> float: ...


def check_particle_sizes(config: ParticleSizes) -> None:
    """Refuse sizes that cannot work, with a message that names ones that would."""
    for name in ("num_particles", "num_proposals", "feature_dim", "patch_size", "glimpse_size", "channels"):
        if getattr(config, name) < 1:
            raise UserError(f"{name} must be at least 1, not {getattr(config, name)}")
    _check_patches(config)
    _check_glimpses(config)


def _check_patches(config: ParticleSizes) -> None:
    patch = config.patch_size
    for side in config.image_size:
        if side % patch or side < patch:
            lower = max(side // patch, 1) * patch
            raise UserError(
                f"image_size {side} is not a multiple of patch_size {patch}; try {lower} or {lower + patch}"
            )


def _check_glimpses(config: ParticleSizes) -> None:
    if config.glimpse_size > min(config.image_size):
        smaller = max(min(config.image_size) // 4, 1)
        raise UserError(
            f"glimpse_size {config.glimpse_size} is larger than the picture {config.image_size}; "
            f"try {smaller}"
        )


def prior_image_of(batch: Batch) -> Image:
    """The pictures from which proposals are read: the second pictures of warped pairs, if there are pairs."""
    return batch.image if batch.prior_image is None else batch.prior_image


# of the object model


@dataclass(frozen=True)
class DiagonalNormal:
    """A diagonal normal distribution."""

    mean: Float[Tensor, "*shape"]
    log_variance: Float[Tensor, "*shape"]

    def sampled(self) -> Float[Tensor, "*shape"]:
        return sample_normal(self.mean, self.log_variance)

    def kl(self) -> Float[Tensor, "*shape"]:
        """The KL divergence to the standard normal distribution, one number per element."""
        return kl_to_standard_normal(self.mean, self.log_variance)


@dataclass(frozen=True)
class ExtentPosterior:
    """The posterior of the particles' log-scales and depths.

    The prior expects each scale near that of its anchor, and depths around 0.
    """

    # B K 2
    log_scale: DiagonalNormal
    anchor_log_scale: Float[Tensor, "B K 2"]
    # B K
    depth: DiagonalNormal

    def scale_kl(self) -> Float[Tensor, "B"]:
        spread = 2 * math.log(SCALE_STD)
        mean = self.log_scale.mean
        return kl_to_normal(mean, self.log_scale.log_variance, self.anchor_log_scale, spread).sum((1, 2))

    def depth_kl(self) -> Float[Tensor, "B"]:
        return self.depth.kl().sum(1)

    def mean(self) -> Extent:
        return self._extent(self.log_scale.mean, self.depth.mean)

    def sampled(self) -> Extent:
        return self._extent(self.log_scale.sampled(), self.depth.sampled())

    def _extent(self, log_scale: Float[Tensor, "B K 2"], depth: Float[Tensor, "B K"]) -> Extent:
        return Extent(log_scale.exp(), self.log_scale.log_variance, depth, self.depth.log_variance)


@dataclass(frozen=True)
class Encoding:
    """The posterior of a batch of pictures, and the prior's proposals."""

    proposals: Float[Tensor, "B M 2"]
    # B K 2
    position: DiagonalNormal
    presence: Float[Tensor, "B K"]
    # B K F
    features: DiagonalNormal
    # B F
    background: DiagonalNormal
    # cut from the picture where the appearance was read
    glimpses: Float[Tensor, "B K C S S"]
    # of particles that differ in size
    extent: ExtentPosterior | None = None
    # numbers of the background that are measured and not learnt
    light: Float[Tensor, "B L"] | None = None

    def scene(self, code: Float[Tensor, "B F"]) -> Float[Tensor, "B G"]:
        """The background's numbers: a code drawn from the posterior or its mean, and the light."""
        return code if self.light is None else torch.cat([code, self.light], 1)


@runtime_checkable
class ParticleEncoder(Protocol):
    """An encoder that maps pictures to particles."""

    def __call__(self, image: Image, prior_image: Image, decoder: "ParticleDecoder") -> Encoding: ...

    def presence_parameters(self) -> list[nn.Parameter]:
        """The parameters that learn nothing while presence is random."""
        ...


@runtime_checkable
class ParticleDecoder(Protocol):
    """A decoder that maps particles to glimpses, and draws the background behind them."""

    # number of pictures whose median is the first guess at the background; 0: it starts from no pictures
    starts_from: int

    @property
    def unit(self) -> float | Tensor:
        """The error that losses are divided by, so that their weights mean the same for all data."""
        ...

    def background_parameters(self) -> list[nn.Parameter]:
        """The parameters that learn nothing in the warm-up."""
        ...

    def glimpses(self, features: Float[Tensor, "B K F"]) -> Float[Tensor, "B K D S S"]:
        """The particles drawn alone: alpha first, then colours, all in [0, 1]."""
        ...

    def background(
        self, position: Tensor, features: Tensor, background: Tensor, background_position: Tensor
    ) -> Image: ...

    def behind_particles(self, background: Image, image: Image) -> tuple[Image, Float[Tensor, "B"]]:
        """The background over which particles are drawn while training, and a loss of its own, if it has one.

        A background with a loss of its own gets no gradient from the drawn picture.
        """
        ...

    def render(
        self,
        glimpses: Float[Tensor, "B K D S S"],
        position: Float[Tensor, "B K 2"],
        extent: Extent | None,
        presence: Float[Tensor, "B K"],
        background: Image,
        grain: Float[Tensor, "B K s s"] | None = None,
    ) -> Image:
        """The glimpses, laid over the background at their positions, the first in front."""
        ...

    def windows(
        self,
        glimpses: Float[Tensor, "B K D S S"],
        position: Float[Tensor, "B K 2"],
        extent: Extent | None,
        canvas: tuple[int, int],
    ) -> Windows:
        """The same glimpses as windows of the canvas, each alone."""
        ...

    def middle(self, glimpses: Float[Tensor, "B K D S S"]) -> Float[Tensor, "B K 2"]:
        """The point of each glimpse that is laid at the position, in pixels of the glimpse from its middle."""
        ...

    def background_error(self, background: Float[Tensor, "B F"], image: Image) -> Float[Tensor, "B"]:
        """The loss of the background in the warm-up, before particles are drawn.

        It is 0 for a background that learns only together with the particles.
        """
        ...

    def start(self, pictures: Image) -> None:
        """Set a first guess of the background before the first step, given pictures from all over the data."""
        ...


class OneSize:
    """The part of a decoder that lays glimpses over a picture, each as large as it is drawn."""

    unit = 1.0

    def behind_particles(self, background: Image, image: Image) -> tuple[Image, Float[Tensor, "B"]]:
        return background, torch.zeros_like(image[:, 0, 0, 0])

    def render(
        self,
        glimpses: Float[Tensor, "B K D S S"],
        position: Float[Tensor, "B K 2"],
        extent: Extent | None,
        presence: Float[Tensor, "B K"],
        background: Image,
        grain: Float[Tensor, "B K s s"] | None = None,
    ) -> Image:
        return render(glimpses, position, presence, background, grain)

    def windows(
        self,
        glimpses: Float[Tensor, "B K D S S"],
        position: Float[Tensor, "B K 2"],
        extent: Extent | None,
        canvas: tuple[int, int],
    ) -> Windows:
        return place_glimpses(glimpses, position, canvas)

    def middle(self, glimpses: Float[Tensor, "B K D S S"]) -> Float[Tensor, "B K 2"]:
        """Zeros: a glimpse lies with its own middle at the position."""
        return glimpses.new_zeros(*glimpses.shape[:2], 2)


# of the masked model


@dataclass(frozen=True)
class SceneCode:
    """The codes that a masked model paints a picture from, besides the particles' maps and the bypass."""

    position: Float[Tensor, "B K 2"]
    features: Float[Tensor, "B K F"]
    background: Float[Tensor, "B F"]
    # where the background's node is, in a network that has one
    background_position: Float[Tensor, "B 2"]


@runtime_checkable
class MaskedNetworks(Protocol):
    """The encoder and the decoder of a masked model. `outside` is 1 where no particle's disk is, else 0."""

    def locate(self, image: Image) -> tuple[Float[Tensor, "B N h w"], DiagonalNormal]:
        """Feature maps, which also serve as the bypass, and the particles' positions."""
        ...

    def appearance(
        self,
        maps: Float[Tensor, "B N h w"],
        position: Float[Tensor, "B K 2"],
        outside: Float[Tensor, "B 1 h w"],
    ) -> tuple[DiagonalNormal, DiagonalNormal]:
        """The particles' features and the background's features."""
        ...

    def paint(
        self,
        maps: Float[Tensor, "B K h w"],
        outside: Float[Tensor, "B 1 h w"],
        scene: SceneCode,
        bypass: Float[Tensor, "B N h w"],
    ) -> Image: ...
