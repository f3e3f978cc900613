"""Deep Latent Particles, the object model: each particle is drawn as a glimpse with alpha over a
background."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model, Stage, refuse_other_sizes
from motes.models.particles.anchored import AnchoredEncoder, LeanDecoder
from motes.models.particles.parts import (
    Encoding,
    ParticleDecoder,
    ParticleEncoder,
    check_particle_sizes,
    prior_image_of,
)
from motes.models.particles.published import ExclusiveEncoder, PublishedDecoder, PublishedEncoder
from motes.nn.blocks.normalisation import settled
from motes.ops.densities.divergence import chamfer_kl
from motes.ops.densities.noise import normal_like, uniform_like
from motes.ops.rendering.composite import render
from motes.ops.rendering.contrast import evidence_threshold, visible_contrast
from motes.ops.rendering.footprints import Footprints
from motes.ops.rendering.glimpse import place_glimpses
from motes.ops.rendering.painting import Painting
from motes.types.batch import Batch, Losses
from motes.types.latents import Image, Particles
from motes.weights.reconstruction import reconstruction_loss

NEGLIGIBLE = 1e-3  # presence below which a particle is not drawn


@dataclass(frozen=True)
class DlpConfig:
    """Options of Deep Latent Particles: sizes, networks, and the weights of the loss."""

    # rows, columns; multiples of patch_size
    image_size: tuple[int, int] = (64, 64)
    # 1 for grey pictures
    channels: int = 3
    # K: the largest number of objects in a picture
    num_particles: int = 10
    # patch proposals that the particles are drawn to
    num_proposals: int = 15
    # numbers that describe the appearance of a particle
    feature_dim: int = 6
    # side of the prior's patches: about the size of the smallest object
    patch_size: int = 8
    # side of a particle's window: about the size of the largest object
    glimpse_size: int = 16
    # anchored: particles that start from proposals and share one small network; published: the paper's
    # networks; published-exclusive: these, with glimpses that share pixels out
    architecture: Literal["anchored", "published", "published-exclusive"] = "anchored"
    # widths of the image network, halving the picture at each but the first
    encoder_channels: tuple[int, ...] = (32, 64, 128)
    # widths of the patch network
    prior_channels: tuple[int, ...] = (16, 32, 64)
    # standard deviation of a particle about its proposal; half a picture is 1
    prior_std: float = 0.1
    # the reconstruction loss: see motes.weights.reconstruction.RECONSTRUCTIONS
    reconstruction: str = "mse"
    # weights of the KL of positions (beta_kl) and of features (beta_kl * kl_balance)
    kl_weights: tuple[float, float] = (0.1, 1e-4)
    # price of a particle that is present: more = fewer particles, and none half present
    presence_weight: float = 0.0
    # shares of the steps for training on single glimpses, and for training with random presence
    phases: tuple[float, float] = (0.01, 0.04)


@dataclass(frozen=True)
class Architecture:
    """A kind of networks: an encoder class and the decoder class that belongs to it."""

    encoder: Callable[[DlpConfig], ParticleEncoder]
    decoder: Callable[[DlpConfig], ParticleDecoder]


ARCHITECTURES: dict[str, Architecture] = {
    "anchored": Architecture(AnchoredEncoder, LeanDecoder),
    "published": Architecture(PublishedEncoder, PublishedDecoder),
    "published-exclusive": Architecture(ExclusiveEncoder, PublishedDecoder),
}


class DeepLatentParticles(Model):
    """Deep Latent Particles: a variational autoencoder whose code is a set of particles.

    The loss of a picture x drawn as x' is rec(x, x') + beta_kl (ChamferKL(q(z|x), proposals) + kl_balance
    KL(q(f|x) || N(0, 1))), z being the positions and f the features. x' layers the glimpse of every particle,
    by its alpha and presence, over the background: the first particle is in front (Daniel & Tamar 2022,
    https://arxiv.org/abs/2205.15821).
    """

    Config = DlpConfig

    encoder: ParticleEncoder
    decoder: ParticleDecoder
    evidence_threshold: Tensor

    def __init__(self, config: DlpConfig):
        super().__init__()
        _check(config)
        self.config = config
        architecture = ARCHITECTURES[config.architecture]
        self.encoder = architecture.encoder(config)
        self.decoder = architecture.decoder(config)
        self.reconstruction_loss = reconstruction_loss(config.reconstruction)
        self.register_buffer("evidence_threshold", torch.tensor(0.0))

    def stages(self) -> tuple[Stage, ...]:
        """The stages of training, without those whose share of the steps is 0."""
        warmup, noisy = self.config.phases
        everything = tuple(self.parameters())
        of_background = {id(parameter) for parameter in self.decoder.background_parameters()}
        of_presence = {id(parameter) for parameter in self.encoder.presence_parameters()}
        drawing = tuple(p for p in everything if id(p) not in of_presence)
        foreground = tuple(p for p in drawing if id(p) not in of_background)
        stages = (
            Stage("warm-up", warmup, self.warmup_loss, foreground),
            Stage("noisy", noisy, self.noisy_loss, drawing),
            Stage("main", 1.0 - warmup - noisy, self.loss, everything),
        )
        first, *later = (stage for stage in stages if stage.share > 0)
        return (replace(first, begin=self._begin), *later)

    def loss(self, batch: Batch) -> Losses:
        encoding = self._encoding(batch)
        glimpses, position, background = self._sample(encoding)
        picture = render(glimpses, position, encoding.presence, background)
        error = self.reconstruction_loss(picture, batch.image)
        return self._losses(encoding, error, presence_price(encoding.presence))

    def noisy_loss(self, batch: Batch) -> Losses:
        """The loss with random presence and noise on alphas.

        No particle can then rely on another one, so all of them learn to draw.
        """
        encoding = self._encoding(batch)
        glimpses, position, background = self._sample(encoding)
        presence = uniform_like(encoding.presence)
        side = glimpses.shape[-1] + 1
        grain = self.config.prior_std * normal_like(presence[..., None, None].expand(-1, -1, side, side))
        picture = render(glimpses, position, presence, background, grain)
        error = self.reconstruction_loss(picture, batch.image)
        return self._losses(encoding, error, torch.zeros_like(error))

    def warmup_loss(self, batch: Batch) -> Losses:
        """The error of each decoded glimpse, without alpha, against the glimpse that was cut from the
        picture.

        No whole picture is drawn from the particles.
        """
        encoding = self._encoding(batch)
        drawn = self.decoder.glimpses(encoding.features.sampled())
        drawn = drawn[:, :, 1:].flatten(0, 1)
        target = encoding.glimpses.flatten(0, 1)
        error = self.reconstruction_loss(drawn, target).unflatten(0, encoding.presence.shape).mean(1)
        background = encoding.background.sampled()
        error = error + self.decoder.background_error(background, batch.image)
        return self._losses(encoding, error, torch.zeros_like(error))

    def encode(self, image: Image) -> Particles:
        refuse_other_sizes(self.config, image)
        encoding = self.encoder(image, None, self.decoder)
        particles = Particles(
            position=encoding.position.mean,
            log_variance=encoding.position.log_variance,
            features=encoding.features.mean,
            feature_log_variance=encoding.features.log_variance,
            presence=encoding.presence,
            background=encoding.background.mean,
        )
        if torch.is_autocast_enabled(image.device.type):
            # it may not be by the time the certainty is read
            return replace(particles, certainty=self._certainty(particles))
        return particles.judged(lambda: self._certainty(particles))

    def decode(self, latent: Particles) -> Image:
        """The pictures. Without gradients, particles of negligible presence are left out.

        Colours are in [0, 1], so a pixel changes by no more than the sum of the presences left out.
        """
        drawn = latent if torch.is_grad_enabled() else latent.there(NEGLIGIBLE)
        glimpses = self.decoder.glimpses(drawn.features)
        return render(glimpses, drawn.position, drawn.presence, self._background(latent))

    def painting(self, latent: Particles, picture: int = 0) -> Painting:
        """The picture of row `picture` in layers, so that an edit can be shown at once."""
        glimpses = self.glimpses(latent)[picture]
        background = self._background(latent)[picture]
        return Painting.of(glimpses, latent.position[picture], latent.presence[picture], background)

    def proposals(self, image: Image) -> Float[Tensor, "B M 2"]:
        """The M points that the prior network proposes for each picture."""
        proposals = self.encoder(image, image, self.decoder).proposals
        assert proposals is not None
        return proposals

    def glimpses(self, latent: Particles) -> Float[Tensor, "B K D S S"]:
        """Every particle drawn alone: alpha first, then colours."""
        return self.decoder.glimpses(latent.features)

    def shares(self, latent: Particles) -> Float[Tensor, "B A H W"]:
        """The share of each pixel that the background has, then the share that each particle has."""
        windows = place_glimpses(self.glimpses(latent)[:, :, :1], latent.position, self.config.image_size)
        return Footprints.of(windows, latent.presence, self.config.image_size).on_canvas()

    def calibrate(self, batches: Iterable[Batch]) -> None:
        """Set the threshold of the evidence from pictures without labels: it splits their evidence in two
        (Otsu)."""
        evidence = torch.cat([self._evidence(self.encode(batch.image)).flatten() for batch in batches])
        self.evidence_threshold.copy_(evidence_threshold(evidence))

    def _begin(self, batches: Iterable[Batch]) -> None:
        """Set the background to the median of the first pictures.

        From the first step on, the residual therefore shows objects.
        """
        if count := self.decoder.starts_from:
            pictures = islice((picture for batch in batches for picture in batch.image), count)
            self.decoder.start_background(torch.stack(list(pictures)).median(0).values)

    def _encoding(self, batch: Batch) -> Encoding:
        return self.encoder(batch.image, prior_image_of(batch), self.decoder)

    def _sample(self, encoding: Encoding) -> tuple[Tensor, Tensor, Tensor]:
        """Glimpses, positions and background, drawn once from the posterior."""
        position = encoding.position.sampled()
        features = encoding.features.sampled()
        code = encoding.background.sampled()
        # of the background's node, which is at (0, 0) when nothing is drawn
        background_position = self.config.prior_std * normal_like(position[:, 0])
        background = self.decoder.background(position, features, code, background_position)
        return self.decoder.glimpses(features), position, background

    def _losses(self, encoding: Encoding, error: Float[Tensor, "B"], presence: Float[Tensor, "B"]) -> Losses:
        position = encoding.position
        assert encoding.proposals is not None
        chamfer = chamfer_kl(position.mean, position.log_variance, encoding.proposals, self.config.prior_std)
        feature_kl = encoding.features.kl().sum((1, 2)) + encoding.background.kl().sum(1)
        beta_position, beta_features = self.config.kl_weights
        total = error + beta_position * chamfer + beta_features * feature_kl
        total = total + self.config.presence_weight * presence
        terms = {
            "reconstruction": error,
            "chamfer_kl": chamfer,
            "feature_kl": feature_kl,
            "presence_price": presence,
        }
        return Losses(total.mean(), terms)

    def _background(self, latent: Particles) -> Image:
        middle = torch.zeros_like(latent.position[:, 0])
        return self.decoder.background(latent.position, latent.features, latent.background, middle)

    def _certainty(self, latent: Particles) -> Float[Tensor, "B K"]:
        # the model may have begun to train since the particles were found
        with settled(self):
            return torch.sigmoid(self._evidence(latent) - self.evidence_threshold)

    def _evidence(self, latent: Particles) -> Float[Tensor, "B K"]:
        glimpses = self.decoder.glimpses(latent.features)
        windows = place_glimpses(glimpses, latent.position, self.config.image_size)
        return visible_contrast(windows, latent.presence, latent.log_variance, self._background(latent))


def presence_price(presence: Float[Tensor, "B K"]) -> Float[Tensor, "B"]:
    """What the presences p_k of a picture cost: sum_k p_k + 4 p_k (1 - p_k).

    A particle that is present costs 1, one that is half present costs 1.5. Presence, alpha and contrast make
    up for one another, so without the second part a particle may stay half present for good, its colours
    exaggerated (docs/log/quick-preset.md).
    """
    return (presence + 4 * presence * (1 - presence)).sum(1)


def _check(config: DlpConfig) -> None:
    """Refuse options that cannot work, with a message that names ones that would."""
    check_particle_sizes(config)
    if config.architecture not in ARCHITECTURES:
        raise UserError(
            f"architecture {config.architecture!r} is unknown; choose one of {', '.join(ARCHITECTURES)}"
        )
    if min(config.phases) < 0 or sum(config.phases) > 1:
        raise UserError(f"phases {config.phases} must be shares that sum to at most 1, such as 0.01 0.04")
