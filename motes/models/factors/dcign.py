"""A deep convolutional inverse graphics network: a VAE in which each unit of the code stands for one factor.

It learns from clips in which a single factor varies.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motes.errors import UserError
from motes.models.base import WHOLE_CLIPS, Model, Stage, device_of, refuse_other_sizes
from motes.nn.coders.networks import PictureShape, picture_network
from motes.ops.densities.divergence import kl_to_standard_normal, sample_normal
from motes.ops.pictures.groups import group_means
from motes.ops.pictures.image_loss import squared_error
from motes.types.batch import Batch, Losses
from motes.types.latents import Code, Image

# noise of a pixel while training is plain: with more, the KL is cheaper than a first picture, and nothing is
# learnt for long
PLAIN_NOISE = 0.1
# log-variances of a unit
SMALLEST_LOG_VARIANCE = -20.0
LARGEST_LOG_VARIANCE = 10.0


@dataclass(frozen=True)
class DcIgnConfig:
    """Options of a deep convolutional inverse graphics network."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    channels: int = 3
    # number of units of each factor that may vary in a clip, by its number; by default the last are the
    # appearance's
    units: tuple[int, ...] = (1, 1, 1, 12)
    # units of the hidden layers, or half the maps of the decoder's first layer
    width: int = 192
    # dense or convolutional
    network: str = "dense"
    # standard deviation of a pixel's noise in the likelihood: less = the units hold more, and the KL is
    # larger
    noise: float = 0.35
    # weight that pulls the units of constant factors to their mean over the clip; the paper's code has 0.01
    invariance: float = 20.0
    # share of the steps at first that train a plain variational autoencoder, without clamped units
    plain: float = 0.3


class InverseGraphicsNetwork(Model):
    """A VAE that replaces the units of factors that do not vary in a clip by their mean over the clip.

    The loss is |x - decode(z)|^2 / 2s^2 + KL(q' || N(0, 1)) + l/2 |e_o - mean e_o|^2, where z ~ q'(e_v, mean
    e_o).

    x is a picture, s the noise of a pixel, l the weight of invariance. e_v are means and log variances of the
    units of what varies, e_o those of all other units. No gradient passes through the mean of e_o, so what
    varies in the picture can be coded in e_v only. The paper substitutes the last term's gradient, which is
    the same (Kulkarni et al. 2015, https://arxiv.org/abs/1503.03167).
    """

    Config = DcIgnConfig
    needs = ("varies",)
    window = WHOLE_CLIPS
    # the factor of each unit
    owner: Tensor

    def __init__(self, config: DcIgnConfig):
        super().__init__()
        shape = PictureShape.of(config)
        kind = picture_network(config.network)
        _check(config)
        self.config = config
        self.count = sum(config.units)
        self.read = kind.reader(shape, config.width, 2 * self.count)
        self.draw = kind.drawer(shape, config.width, self.count)
        owner = torch.repeat_interleave(torch.arange(len(config.units)), torch.tensor(config.units))
        self.register_buffer("owner", owner, persistent=False)

    def stages(self) -> tuple[Stage, ...]:
        learning = tuple(self.parameters())
        share = self.config.plain
        clamped = Stage("clamped", 1 - share, self.loss, learning)
        if not share:
            return (clamped,)
        return (Stage("plain", share, self.plain_loss, learning), clamped)

    def loss(self, batch: Batch) -> Losses:
        posterior = self._posterior(batch.image)
        varies = self._varies(batch).repeat(1, 2)
        mean = group_means(posterior, batch.clip).detach()
        deviation = torch.where(varies, torch.zeros_like(posterior), posterior - mean)
        invariance = deviation.square().sum(1) / 2
        clamped = torch.where(varies, posterior, mean)
        error, kl = self._evidence_bound(batch.image, clamped, self.config.noise)
        total = error + kl + self.config.invariance * invariance
        return Losses(total.mean(), {"reconstruction": error, "kl": kl, "invariance": invariance})

    def plain_loss(self, batch: Batch) -> Losses:
        """The loss of a plain variational autoencoder, which trains the first share of the steps."""
        error, kl = self._evidence_bound(batch.image, self._posterior(batch.image), PLAIN_NOISE)
        return Losses((error + kl).mean(), {"reconstruction": error, "kl": kl})

    def encode(self, image: Image) -> Code:
        mean, log_variance = self._posterior(image).chunk(2, -1)
        return Code(mean, log_variance)

    def decode(self, latent: Code) -> Image:
        return torch.sigmoid(self.draw(latent.vector))

    def sample(self, count: int) -> Code:
        mean = torch.randn(count, self.count, device=device_of(self))
        return Code(mean, torch.full_like(mean, SMALLEST_LOG_VARIANCE))

    def _evidence_bound(
        self, image: Image, posterior: Float[Tensor, "B G"], noise: float
    ) -> tuple[Float[Tensor, "B"], Float[Tensor, "B"]]:
        """The two terms of a VAE's loss: the reconstruction error and the KL of each picture."""
        mean, log_variance = posterior.chunk(2, -1)
        drawn = self.decode(Code(sample_normal(mean, log_variance)))
        error = squared_error(drawn, image) / (2 * noise**2)
        return error, kl_to_standard_normal(mean, log_variance).sum(1)

    def _varies(self, batch: Batch) -> Bool[Tensor, "B F"]:
        """Whether each unit belongs to the factor that varies in the picture's clip."""
        varies = batch.labels["varies"]
        count = len(self.config.units)
        if len(varies) and not 0 <= int(varies.min()) <= int(varies.max()) < count:
            raise UserError(
                f"units are given for {count} things that vary, numbered from 0, "
                f"and in a clip number {int(varies.max())} does; give units of each"
            )
        return varies[:, None] == self.owner

    def _posterior(self, image: Image) -> Float[Tensor, "B G"]:
        """Means of all units, followed by their log variances."""
        refuse_other_sizes(self.config, image)
        mean, log_variance = self.read(image).chunk(2, -1)
        return torch.cat([mean, log_variance.clamp(SMALLEST_LOG_VARIANCE, LARGEST_LOG_VARIANCE)], 1)


def _check(config: DcIgnConfig) -> None:
    if min(config.units, default=0) < 1 or config.noise <= 0:
        raise UserError(f"units {config.units} must be at least 1 of each, and noise {config.noise} above 0")
    if not 0 <= config.plain < 1:
        raise UserError(f"plain must be a share of the steps from 0 up and below 1, not {config.plain}")
