"""What an encoder reads from pictures: the posterior of their particles, and the prior's proposals."""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from motes.models.particles.presence import price_of_content
from motes.ops.densities.divergence import kl_to_normal, kl_to_standard_normal, sample_normal
from motes.ops.gather import take
from motes.ops.rendering.depth import front_first
from motes.types.latents import Extent, Image, Particles

SCALE_STD = 0.3  # of a particle's log-scale about its anchor's


@dataclass(frozen=True)
class DiagonalNormal:
    """A diagonal normal distribution."""

    mean: Float[Tensor, "*shape"]
    log_variance: Float[Tensor, "*shape"]

    def sampled(self) -> Float[Tensor, "*shape"]:
        return sample_normal(self.mean, self.log_variance)

    def reordered(self, order: Int[Tensor, "B M"]) -> "DiagonalNormal":
        """The distributions of the same particles, or some of them, in another order."""
        return DiagonalNormal(take(self.mean, order), take(self.log_variance, order))

    def kl(self) -> Float[Tensor, "*shape"]:
        """The KL divergence to the standard normal distribution, one number per element."""
        return kl_to_standard_normal(self.mean, self.log_variance)


@dataclass(frozen=True)
class ExtentPosterior:
    """The posterior of the particles' log-scales and depths, and how much of the picture each window holds.

    The prior expects each scale near that of its anchor, and depths around 0.
    """

    # B K 2
    log_scale: DiagonalNormal
    anchor_log_scale: Float[Tensor, "B K 2"]
    # B K
    depth: DiagonalNormal
    # the squared difference from the background in each window, in units of the decoder
    content: Float[Tensor, "B K"]

    def reordered(self, order: Int[Tensor, "B M"]) -> "ExtentPosterior":
        """The same particles, or some of them, in another order."""
        return ExtentPosterior(
            self.log_scale.reordered(order),
            take(self.anchor_log_scale, order),
            self.depth.reordered(order),
            take(self.content, order),
        )

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

    # None where they are not asked for
    proposals: Float[Tensor, "B M 2"] | None
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

    def reordered(self, order: Int[Tensor, "B M"]) -> "Encoding":
        """The same particles, or some of them, in another order."""
        return replace(
            self,
            position=self.position.reordered(order),
            presence=take(self.presence, order),
            features=self.features.reordered(order),
            glimpses=take(self.glimpses, order),
            extent=None if self.extent is None else self.extent.reordered(order),
        )

    def scene(self, code: Float[Tensor, "B F"]) -> Float[Tensor, "B G"]:
        """The background's numbers: a code drawn from the posterior or its mean, and the light."""
        return code if self.light is None else torch.cat([code, self.light], 1)

    def particles(self) -> Particles:
        """The most likely particles, in the order in which they were read."""
        return Particles(
            position=self.position.mean,
            log_variance=self.position.log_variance,
            features=self.features.mean,
            feature_log_variance=self.features.log_variance,
            presence=self.presence,
            background=self.scene(self.background.mean),
            certainty=None,
            extent=None if self.extent is None else self.extent.mean(),
        )

    def prices(self) -> Float[Tensor, "B K"]:
        """What each particle costs that is present."""
        if self.extent is None:
            return torch.ones_like(self.presence)
        return price_of_content(self.extent.content)


class Drawn(NamedTuple):
    """Particles as they are laid over a background, the first in front."""

    glimpses: Float[Tensor, "B K D S S"]
    position: Float[Tensor, "B K 2"]
    extent: Extent | None
    presence: Float[Tensor, "B K"]

    def nearest_first(self) -> "Drawn":
        """The same particles in the order of their depths, if they have any."""
        if self.extent is None:
            return self
        order = front_first(self.extent.depth)
        return Drawn(
            take(self.glimpses, order),
            take(self.position, order),
            self.extent.mapped(lambda part: take(part, order)),
            take(self.presence, order),
        )


class Sample(NamedTuple):
    """What is drawn in one step of training."""

    drawn: Drawn
    background: Image
    # the loss of a background that learns by itself
    background_error: Float[Tensor, "B"] | None
