"""A variational autoencoder whose units are told apart by clips: a unit stands for what alone varies in its
clips."""

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
SHARP = 0.1


@dataclass(frozen=True)
class DcIgnConfig:
    """What a deep convolutional inverse graphics network is made of."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    channels: int = 3
    # of each thing that may vary in a clip, by its number; here the last are the look's
    units: tuple[int, ...] = (1, 1, 1, 12)
    # of the hidden layers, or half the maps with which drawing begins
    width: int = 192
    network: str = "dense"
    # of a pixel, as the model believes: less = more is told by the units, at the KL's cost
    noise: float = 0.35
    # pull of the units that should not vary in a clip to their mean; the paper's code has 0.01
    invariance: float = 20.0
    # share of the steps in which units are not yet clamped: a plain variational autoencoder
    plain: float = 0.3


class InverseGraphicsNetwork(Model):
    """A VAE in which the encoder's word on the units of all but what varies is replaced by its mean over the
    clip (Kulkarni et al. 2015, https://arxiv.org/abs/1503.03167).

    |x - decode(z)|^2 / 2s^2 + KL(q' || N(0, 1)) + l/2 |e_o - mean e_o|^2,  z ~ q'(e_v, mean e_o)

    e_v are means and log variances of the units of what varies, e_o of all others. No gradient passes
    through their means: what the picture owes to what varies can only come through e_v. The paper
    substitutes the last term's gradient, which is the same.
    """

    Config = DcIgnConfig
    needs = ("varies",)
    window = WHOLE_CLIPS
    owner: Tensor

    def __init__(self, config: DcIgnConfig):
        super().__init__()
        shape = PictureShape.of(config)
        kind = picture_network(config.network)
        if min(config.units, default=0) < 1 or config.noise <= 0:
            raise UserError(
                f"units {config.units} must be at least 1 of each, and noise {config.noise} above 0"
            )
        if not 0 <= config.plain < 1:
            raise UserError(f"plain must be a share of the steps from 0 up and below 1, not {config.plain}")
        self.config = config
        self.count = sum(config.units)
        self.read = kind.reader(shape, config.width, 2 * self.count)
        self.draw = kind.drawer(shape, config.width, self.count)
        owner = torch.repeat_interleave(torch.arange(len(config.units)), torch.tensor(config.units))
        self.register_buffer("owner", owner, persistent=False)

    def stages(self) -> tuple[Stage, ...]:
        learning = tuple(self.parameters())
        plain = self.config.plain
        clamped = Stage("clamped", 1 - plain, self.loss, learning)
        return (Stage("plain", plain, self.plain_loss, learning), clamped) if plain else (clamped,)

    def loss(self, batch: Batch) -> Losses:
        said = self._said(batch.image)
        moves = self._moves(batch).repeat(1, 2)
        still = group_means(said, batch.clip).detach()
        apart = torch.where(moves, torch.zeros_like(said), said - still).square().sum(1) / 2
        error, divergence = self._evidence(batch.image, torch.where(moves, said, still), self.config.noise)
        total = error + divergence + self.config.invariance * apart
        return Losses(total.mean(), {"reconstruction": error, "kl": divergence, "invariance": apart})

    def plain_loss(self, batch: Batch) -> Losses:
        error, divergence = self._evidence(batch.image, self._said(batch.image), SHARP)
        return Losses((error + divergence).mean(), {"reconstruction": error, "kl": divergence})

    def encode(self, image: Image) -> Code:
        mean, log_variance = self._said(image).chunk(2, -1)
        return Code(mean, log_variance)

    def decode(self, latent: Code) -> Image:
        return torch.sigmoid(self.draw(latent.vector))

    def sample(self, count: int) -> Code:
        mean = torch.randn(count, self.count, device=device_of(self))
        return Code(mean, torch.full_like(mean, -20.0))

    def _evidence(
        self, image: Image, said: Float[Tensor, "B G"], noise: float
    ) -> tuple[Float[Tensor, "B"], Float[Tensor, "B"]]:
        mean, log_variance = said.chunk(2, -1)
        error = squared_error(self.decode(Code(sample_normal(mean, log_variance))), image) / (2 * noise**2)
        return error, kl_to_standard_normal(mean, log_variance).sum(1)

    def _moves(self, batch: Batch) -> Bool[Tensor, "B F"]:
        """Which units stand for what varies in a picture's clip."""
        varies = batch.labels["varies"]
        if len(varies) and not 0 <= int(varies.min()) <= int(varies.max()) < len(self.config.units):
            raise UserError(
                f"units are told for {len(self.config.units)} things that vary, numbered from 0, and in a clip number {int(varies.max())} does; "
                "give units of each"
            )
        return varies[:, None] == self.owner

    def _said(self, image: Image) -> Float[Tensor, "B G"]:
        """Means of the units, then log variances."""
        refuse_other_sizes(self.config, image)
        mean, log_variance = self.read(image).chunk(2, -1)
        return torch.cat([mean, log_variance.clamp(-20, 10)], 1)
