"""Deep Latent Particles, the object model: each particle is drawn as a glimpse with alpha over a
background."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model, Stage, TrainingPictures, refuse_other_sizes
from motes.models.particles.anchored import AnchoredEncoder, LeanDecoder
from motes.models.particles.dlp_config import DlpConfig
from motes.models.particles.encoding import Drawn, Encoding, Sample
from motes.models.particles.parts import (
    ParticleDecoder,
    ParticleEncoder,
    check_particle_sizes,
    prior_image_of,
)
from motes.models.particles.presence import PRESENCE_POSTERIORS, RATHER_PRESENT, UNDECIDED
from motes.models.particles.published import ExclusiveEncoder, PublishedDecoder, PublishedEncoder
from motes.models.particles.sized import SizedEncoder
from motes.models.particles.sized_decoder import SizedDecoder
from motes.nn.blocks.normalisation import settled
from motes.ops.densities.divergence import chamfer_kl
from motes.ops.densities.noise import normal_like, uniform_like
from motes.ops.exporting import is_exporting
from motes.ops.rendering.contrast import evidence_threshold, visible_contrast
from motes.ops.rendering.depth import front_first
from motes.ops.rendering.footprints import Footprints, VisibleBoxes
from motes.ops.rendering.glimpse import Windows
from motes.ops.rendering.painting import LayerSizes, Painting
from motes.types.batch import Batch, Losses
from motes.types.latents import Image, Particles
from motes.weights.reconstruction import reconstruction_loss

NEGLIGIBLE = 1e-3  # presence below which a particle is not drawn
OF_ONE_SIZE = 3.0  # the longest side of things over the shortest one, where they are of about one size


@dataclass(frozen=True)
class Architecture:
    """A kind of networks: an encoder class and the decoder class that belongs to it."""

    encoder: Callable[[DlpConfig], ParticleEncoder]
    decoder: Callable[[DlpConfig], ParticleDecoder]


ARCHITECTURES: dict[str, Architecture] = {
    "sized": Architecture(SizedEncoder, SizedDecoder),
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
        self.presence = PRESENCE_POSTERIORS[config.presence_posterior]()
        self.reconstruction_loss = reconstruction_loss(config.reconstruction)
        self.register_buffer("evidence_threshold", torch.tensor(0.0))

    @property
    def follower(self) -> "DeepLatentParticles | None":
        """Itself, where things are of about one size; where they are not, those that it follows grow over their neighbours."""
        sides = self.decoder.sides if isinstance(self.decoder, SizedDecoder) else torch.zeros(2)
        return self if 0 < sides[1] < OF_ONE_SIZE * sides[0] else None

    def stages(self) -> tuple[Stage, ...]:
        """The stages of training, without those whose share of the steps is 0."""
        warmup, noisy, *_ = self.config.phases
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
        sample = self._sample(encoding, batch.image)
        picture = self.decoder.render(sample.drawn, sample.background)
        error = self._error(picture, batch.image)
        price = self.presence.price(encoding.presence, encoding.prices())
        return self._losses(encoding, error, price, UNDECIDED, sample.background_error)

    def noisy_loss(self, batch: Batch) -> Losses:
        """The loss with random presence and noise on alphas.

        No particle can then rely on another one, so all of them learn to draw.
        """
        encoding = self._encoding(batch)
        sample = self._sample(encoding, batch.image)
        presence = uniform_like(encoding.presence)
        side = sample.drawn.glimpses.shape[-1] + 1
        grain = self.config.prior_std * normal_like(presence[..., None, None].expand(-1, -1, side, side))
        drawn = sample.drawn._replace(presence=presence)
        picture = self.decoder.render(drawn, sample.background, grain)
        error = self._error(picture, batch.image)
        return self._losses(encoding, error, torch.zeros_like(error), RATHER_PRESENT, sample.background_error)

    def warmup_loss(self, batch: Batch) -> Losses:
        """The error of each decoded glimpse, without alpha, against the glimpse that was cut from the
        picture.

        No whole picture is drawn from the particles.
        """
        encoding = self._encoding(batch)
        drawn = self.decoder.glimpses(encoding.features.sampled())
        drawn = drawn[:, :, 1:].flatten(0, 1)
        target = encoding.glimpses.flatten(0, 1)
        error = self._error(drawn, target).unflatten(0, encoding.presence.shape).mean(1)
        background = encoding.scene(encoding.background.sampled())
        error = error + self.decoder.background_error(background, batch.image) / self.decoder.unit
        return self._losses(encoding, error, torch.zeros_like(error), RATHER_PRESENT)

    def encode(self, image: Image) -> Particles:
        refuse_other_sizes(self.config, image)
        particles = self.encoder(image, None, self.decoder).particles()
        if particles.extent is not None:
            particles = particles.reordered(front_first(particles.extent.depth))
        return self.judged(particles)

    def judged(self, particles: Particles) -> Particles:
        """The particles, nearest first, with a certainty."""
        if torch.is_autocast_enabled(particles.position.device.type):
            # it may not be by the time the certainty is read
            return replace(particles, certainty=self._certainty(particles))
        return particles.judged(lambda: self._certainty(particles))

    def decode(self, latent: Particles) -> Image:
        """The pictures. Without gradients, particles of negligible presence are left out, but for exported graphs.

        Colours are in [0, 1], so a pixel changes by no more than the sum of the presences left out.
        """
        keeps_all = torch.is_grad_enabled() or is_exporting()
        shown = latent if keeps_all else replace(latent, certainty=None).there(NEGLIGIBLE)
        return self.decoder.render(self._drawn(shown), self._background(latent))

    def painting(self, latent: Particles, picture: int = 0) -> Painting:
        """The picture of row `picture` in layers, so that an edit can be shown at once."""
        one = latent[picture]
        glimpses = self.glimpses(one)
        background = self._background(one)[0]
        middle = self.decoder.middle(glimpses)[0]
        sizes = None if one.extent is None else LayerSizes(one.extent.scale[0], middle)
        return Painting.of(glimpses[0], one.position[0], one.presence[0], background, sizes)

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
        return self._footprints(latent).on_canvas()

    def boxes(self, latent: Particles) -> VisibleBoxes:
        """The box around the visible part of each particle."""
        return self._footprints(latent).boxes()

    def middles(self, latent: Particles) -> Float[Tensor, "B K 2"]:
        """The middle of what each particle draws: (row, column) in [-1, 1] between the edges of the picture."""
        return self.decoder.middles(latent)

    def calibrate(self, batches: Iterable[Batch]) -> None:
        """Set the threshold of the evidence from pictures without labels: it splits their evidence in two
        (Otsu)."""
        evidence = torch.cat([self._evidence(self.encode(batch.image)).flatten() for batch in batches])
        self.evidence_threshold.copy_(evidence_threshold(evidence))

    def _begin(self, pictures: TrainingPictures) -> None:
        """Set the background to the clean one of pictures from all over the data.

        From the first step on, the residual therefore shows objects, also those that stand still.
        """
        if count := self.decoder.starts_from:
            self.decoder.start(pictures.sample(count))

    def _encoding(self, batch: Batch) -> Encoding:
        return self.encoder(batch.image, prior_image_of(batch), self.decoder)

    def _error(self, drawn: Image, image: Image) -> Float[Tensor, "B"]:
        return self.reconstruction_loss(drawn, image) / self.decoder.unit

    def _sample(self, encoding: Encoding, image: Image) -> Sample:
        """What is drawn in one step, sampled once from the posterior."""
        position = encoding.position.sampled()
        features = encoding.features.sampled()
        code = encoding.scene(encoding.background.sampled())
        # of the background's node, which is at (0, 0) when nothing is drawn
        background_position = self.config.prior_std * normal_like(position[:, 0])
        background = self.decoder.background(position, features, code, background_position)
        background, error = self.decoder.behind_particles(background, image)
        error = None if error is None else error / self.decoder.unit
        glimpses = self.decoder.glimpses(features)
        extent = None if encoding.extent is None else encoding.extent.sampled()
        drawn = Drawn(glimpses, position, extent, self.presence.sampled(encoding.presence))
        return Sample(drawn.nearest_first(), background, error)

    def _losses(
        self,
        encoding: Encoding,
        error: Float[Tensor, "B"],
        price: Float[Tensor, "B"],
        presence_prior: tuple[float, float],
        of_background: Float[Tensor, "B"] | None = None,
    ) -> Losses:
        position = encoding.position
        assert encoding.proposals is not None
        chamfer = chamfer_kl(position.mean, position.log_variance, encoding.proposals, self.config.prior_std)
        feature_kl = encoding.features.kl().sum((1, 2)) + encoding.background.kl().sum(1)
        beta_position, beta_features = self.config.kl_weights
        terms = {
            "reconstruction": error,
            "chamfer_kl": chamfer,
            "feature_kl": feature_kl,
            "presence_price": price,
        }
        total = error + beta_position * chamfer + beta_features * feature_kl
        total = total + self.config.presence_weight * price
        presence_kl = self.presence.kl(encoding.presence, presence_prior)
        if presence_kl is not None:
            terms["presence_kl"] = presence_kl
            total = total + beta_position * presence_kl
        if encoding.extent is not None:
            terms["scale_kl"] = encoding.extent.scale_kl()
            terms["depth_kl"] = encoding.extent.depth_kl()
            total = total + beta_position * terms["scale_kl"] + beta_features * terms["depth_kl"]
        if of_background is not None:
            terms["background"] = of_background
            total = total + of_background
        return Losses(total.mean(), terms)

    def _background(self, latent: Particles) -> Image:
        middle = torch.zeros_like(latent.position[:, 0])
        return self.decoder.background(latent.position, latent.features, latent.background, middle)

    def _windows(self, latent: Particles) -> Windows:
        return self.decoder.windows(self._drawn(latent), self.config.image_size)

    def _drawn(self, latent: Particles) -> Drawn:
        return Drawn(self.glimpses(latent), latent.position, latent.extent, latent.presence)

    def _footprints(self, latent: Particles) -> Footprints:
        return Footprints.of(self._windows(latent), latent.presence, self.config.image_size)

    def _certainty(self, latent: Particles) -> Float[Tensor, "B K"]:
        # the model may have begun to train since the particles were found
        with settled(self):
            return torch.sigmoid(self._evidence(latent) - self.evidence_threshold)

    def _evidence(self, latent: Particles) -> Float[Tensor, "B K"]:
        background = self._background(latent)
        windows = self._windows(latent)
        return visible_contrast(windows, latent.presence, latent.log_variance, background, self.decoder.unit)


def _check(config: DlpConfig) -> None:
    """Refuse options that cannot work, with a message that names ones that would."""
    check_particle_sizes(config)
    if config.architecture not in ARCHITECTURES:
        raise UserError(
            f"architecture {config.architecture!r} is unknown; choose one of {', '.join(ARCHITECTURES)}"
        )
    if min(config.phases) < 0 or sum(config.phases) > 1:
        raise UserError(f"phases {config.phases} must be shares that sum to at most 1, such as 0.01 0.04")
