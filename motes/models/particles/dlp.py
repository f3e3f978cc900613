"""Deep Latent Particles, the object model: glimpses with an alpha channel, layered over a decoded
background."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError
from motes.models.base import Model, Stage, refuse_other_sizes
from motes.models.particles.anchored import AnchoredEncoder, LeanDecoder
from motes.models.particles.parts import Encoding
from motes.models.particles.published import PublishedDecoder, PublishedEncoder
from motes.nn.losses.perceptual import reconstruction_loss
from motes.ops.densities.divergence import chamfer_kl, kl_to_standard_normal, sample_normal
from motes.ops.densities.noise import normal_like, uniform_like
from motes.ops.rendering.composite import render
from motes.ops.rendering.contrast import evidence_threshold, visible_contrast
from motes.ops.rendering.footprints import Footprints
from motes.ops.rendering.glimpse import place
from motes.ops.rendering.painting import Painting
from motes.types.batch import Batch, Losses
from motes.types.latents import Image, Particles

NEGLIGIBLE = 1e-3  # presence below which a particle is not drawn


@dataclass(frozen=True)
class DlpConfig:
    """What a particle model is made of and what it is paid for."""

    # rows, columns; multiples of patch_size
    image_size: tuple[int, int] = (64, 64)
    # 1 for grey pictures
    channels: int = 3
    # K: how many things at most
    num_particles: int = 10
    # patch proposals that the particles are drawn to
    num_proposals: int = 15
    # numbers that describe a look
    feature_dim: int = 6
    # of the prior: about the size of the smallest thing
    patch_size: int = 8
    # side of a particle's window: about the size of the largest thing
    glimpse_size: int = 16
    # see ARCHITECTURES
    architecture: Literal["anchored", "published", "published-exclusive"] = "anchored"
    # widths of the image network, halving the picture at each but the first
    encoder_channels: tuple[int, ...] = (32, 64, 128)
    # widths of the patch network
    prior_channels: tuple[int, ...] = (16, 32, 64)
    # how near a proposal a particle should be; half a picture is 1
    prior_std: float = 0.1
    # what counts as a good picture: see motes.nn.losses.perceptual.RECONSTRUCTIONS
    reconstruction: str = "mse"
    # of positions (beta_kl) and of looks (beta_kl * kl_balance)
    kl_weights: tuple[float, float] = (0.1, 1e-4)
    # price of a particle that is there: more = fewer of them, and none half there
    presence_weight: float = 0.0
    # shares of the steps for glimpses alone, and for random presence
    phases: tuple[float, float] = (0.01, 0.04)


# name -> (encoder, decoder); the paper's networks, or particles that start from proposals and share one
# small network
ARCHITECTURES: dict[str, tuple[Callable[[DlpConfig], nn.Module], Callable[[DlpConfig], nn.Module]]] = {
    "anchored": (AnchoredEncoder.from_config, LeanDecoder.from_config),
    "published": (PublishedEncoder.from_config, PublishedDecoder.from_config),
    "published-exclusive": (PublishedEncoder.exclusive_from_config, PublishedDecoder.from_config),
}


class DeepLatentParticles(Model):
    """A variational autoencoder whose code is a set of particles (Daniel & Tamar 2022,
    https://arxiv.org/abs/2205.15821).

    rec(x, x') + beta_kl (ChamferKL(q(z|x), proposals) + kl_balance KL(q(f|x) || N(0, 1))), where x' layers
    the glimpse of every particle, by its alpha and presence, over the background: the first particle is in
    front.
    """

    Config = DlpConfig

    encoder: Any  # a ParticleEncoder of motes.models.particles.parts
    decoder: Any  # a ParticleDecoder
    evidence_threshold: Tensor

    def __init__(self, config: DlpConfig):
        super().__init__()
        check(config)
        self.config = config
        make_encoder, make_decoder = ARCHITECTURES[config.architecture]
        self.encoder = make_encoder(config)
        self.decoder = make_decoder(config)
        self.reconstruction_loss = reconstruction_loss(config.reconstruction)
        self.register_buffer("evidence_threshold", torch.tensor(0.0))

    def stages(self) -> tuple[Stage, ...]:
        warmup, noisy = self.config.phases
        everything = tuple(self.parameters())
        unused = {id(p) for p in self.decoder.background_parameters()}
        foreground = tuple(p for p in everything if id(p) not in unused)
        silent = {id(p) for p in self.encoder.presence_parameters()}
        sighted = tuple(p for p in everything if id(p) not in silent)
        stages = (
            Stage("warm-up", warmup, self.warmup_loss, tuple(p for p in foreground if id(p) not in silent)),
            Stage("noisy", noisy, self.noisy_loss, sighted),
            Stage("main", 1.0 - warmup - noisy, self.loss, everything),
        )
        first, *others = (stage for stage in stages if stage.share > 0)
        return (replace(first, begin=self._begin), *others)

    def loss(self, batch: Batch) -> Losses:
        encoding = self.encoder(batch.image, prior_image_of(batch), self.decoder)
        glimpses, position, background = self._sample(encoding)
        picture = render(glimpses, position, encoding.presence, background)
        return self._losses(
            encoding, self.reconstruction_loss(picture, batch.image), presence_price(encoding.presence)
        )

    def noisy_loss(self, batch: Batch) -> Losses:
        """Random presence and grainy alphas: no particle may leave its work to another, so all learn to
        draw."""
        encoding = self.encoder(batch.image, prior_image_of(batch), self.decoder)
        glimpses, position, background = self._sample(encoding)
        presence = uniform_like(encoding.presence)
        side = glimpses.shape[-1] + 1
        grain = self.config.prior_std * normal_like(presence[..., None, None].expand(-1, -1, side, side))
        picture = render(glimpses, position, presence, background, grain)
        return self._losses(
            encoding, self.reconstruction_loss(picture, batch.image), torch.zeros_like(presence[:, 0])
        )

    def warmup_loss(self, batch: Batch) -> Losses:
        """Each decoded glimpse, alpha left out, against the glimpse it was read from; the canvas does not
        take part."""
        encoding = self.encoder(batch.image, prior_image_of(batch), self.decoder)
        drawn = self.decoder.glimpses(sample_normal(encoding.features.mean, encoding.features.log_variance))
        drawn = drawn[:, :, 1:].flatten(0, 1)
        seen = encoding.glimpses.flatten(0, 1)
        error = self.reconstruction_loss(drawn, seen).unflatten(0, encoding.presence.shape).mean(1)
        alone = self.decoder.background_error(
            sample_normal(encoding.background.mean, encoding.background.log_variance), batch.image
        )
        return self._losses(encoding, error + alone, torch.zeros_like(error))

    def encode(self, image: Image) -> Particles:
        refuse_other_sizes(self.config, image)
        encoding = self.encoder(image, image, self.decoder)
        particles = Particles(
            position=encoding.position.mean,
            log_variance=encoding.position.log_variance,
            features=encoding.features.mean,
            feature_log_variance=encoding.features.log_variance,
            presence=encoding.presence,
            background=encoding.background.mean,
        )
        return replace(
            particles, certainty=torch.sigmoid(self._evidence(particles) - self.evidence_threshold)
        )

    def decode(self, latent: Particles) -> Image:
        """Particles whose presence is negligible are not drawn, unless a gradient is wanted: colours being
        in [0, 1], a pixel so changes by no more than the sum of those presences."""
        shown = latent if torch.is_grad_enabled() else latent.there(NEGLIGIBLE)
        return render(
            self.decoder.glimpses(shown.features), shown.position, shown.presence, self._background(latent)
        )

    def painting(self, latent: Particles, picture: int = 0) -> Painting:
        """One of the pictures in layers, for edits that answer at once."""
        glimpses = self.glimpses(latent)[picture]
        background = self._background(latent)[picture]
        return Painting.of(glimpses, latent.position[picture], latent.presence[picture], background)

    def proposals(self, image: Image) -> Float[Tensor, "B M 2"]:
        """The points that the prior proposes."""
        return self.encoder(image, image, self.decoder).proposals

    def glimpses(self, latent: Particles) -> Float[Tensor, "B K D S S"]:
        """Every particle drawn alone: alpha first, then colours."""
        return self.decoder.glimpses(latent.features)

    def shares(self, latent: Particles) -> Float[Tensor, "B A H W"]:
        """Whose each pixel is: the background's share first, then each particle's."""
        windows = place(self.glimpses(latent)[:, :, :1], latent.position, self.config.image_size)
        return Footprints.of(windows, latent.presence, self.config.image_size).on_canvas()

    def calibrate(self, batches: Iterable[Batch]) -> None:
        """Set where doubt begins, from pictures without labels: the widest valley of the particles'
        evidence."""
        evidence = torch.cat([self._evidence(self.encode(batch.image)).flatten() for batch in batches])
        self.evidence_threshold.copy_(evidence_threshold(evidence))

    def _begin(self, batches: Iterable[Batch]) -> None:
        """The background starts as the median of the first pictures: from the first step on, what it leaves
        is things."""
        if wanted := self.decoder.starts_from:
            pictures = islice((picture for batch in batches for picture in batch.image), wanted)
            self.decoder.start_background(torch.stack(list(pictures)).median(0).values)

    def _sample(self, encoding: Encoding) -> tuple[Tensor, Tensor, Tensor]:
        """Glimpses, positions and background of one draw from the posterior."""
        position = sample_normal(encoding.position.mean, encoding.position.log_variance)
        features = sample_normal(encoding.features.mean, encoding.features.log_variance)
        code = sample_normal(encoding.background.mean, encoding.background.log_variance)
        wandering = self.config.prior_std * normal_like(
            position[:, 0]
        )  # the background's place, (0, 0) when nothing is drawn
        background = self.decoder.background(position, features, code, wandering)
        return self.decoder.glimpses(features), position, background

    def _losses(self, encoding: Encoding, error: Float[Tensor, "B"], presence: Float[Tensor, "B"]) -> Losses:
        chamfer = chamfer_kl(
            encoding.position.mean, encoding.position.log_variance, encoding.proposals, self.config.prior_std
        )
        looks = kl_to_standard_normal(encoding.features.mean, encoding.features.log_variance).sum((1, 2))
        looks = looks + kl_to_standard_normal(encoding.background.mean, encoding.background.log_variance).sum(
            1
        )
        beta_position, beta_looks = self.config.kl_weights
        total = error + beta_position * chamfer + beta_looks * looks + self.config.presence_weight * presence
        return Losses(
            total.mean(),
            {"reconstruction": error, "chamfer_kl": chamfer, "feature_kl": looks, "presence_price": presence},
        )

    def _background(self, latent: Particles) -> Image:
        return self.decoder.background(
            latent.position, latent.features, latent.background, torch.zeros_like(latent.position[:, 0])
        )

    def _evidence(self, latent: Particles) -> Float[Tensor, "B K"]:
        windows = place(self.decoder.glimpses(latent.features), latent.position, self.config.image_size)
        return visible_contrast(windows, latent.presence, latent.log_variance, self._background(latent))


def check(config: DlpConfig) -> None:
    """Choices that cannot work are refused here, with one that would."""
    check_sizes(config)
    if config.architecture not in ARCHITECTURES:
        raise UserError(
            f"architecture {config.architecture!r} is unknown; choose one of {', '.join(ARCHITECTURES)}"
        )
    if min(config.phases) < 0 or sum(config.phases) > 1:
        raise UserError(f"phases {config.phases} must be shares that sum to at most 1, such as 0.01 0.04")


def check_sizes(config: Any) -> None:
    for name in ("num_particles", "num_proposals", "feature_dim", "patch_size", "glimpse_size", "channels"):
        if getattr(config, name) < 1:
            raise UserError(f"{name} must be at least 1, not {getattr(config, name)}")
    for side in config.image_size:
        if side % config.patch_size or side < config.patch_size:
            lower = max(side // config.patch_size, 1) * config.patch_size
            raise UserError(
                f"image_size {side} is not a multiple of patch_size {config.patch_size}; try {lower} or {lower + config.patch_size}"
            )
    if config.glimpse_size > min(config.image_size):
        smaller = max(min(config.image_size) // 4, 1)
        raise UserError(
            f"glimpse_size {config.glimpse_size} is larger than the picture {config.image_size}; try {smaller}"
        )


def presence_price(presence: Float[Tensor, "B K"]) -> Float[Tensor, "B"]:
    """sum_k p + 4 p (1 - p): being there costs one, being half there one and a half. Presence, alpha and
    contrast make up for one another, so without the second part a particle may stay half there for good, its
    colours exaggerated (docs/log/quick-preset.md)."""
    return (presence + 4 * presence * (1 - presence)).sum(1)


def prior_image_of(batch: Batch) -> Image:
    return batch.image if batch.prior_image is None else batch.prior_image
