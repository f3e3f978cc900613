"""A variational autoencoder whose units are told apart by clips: a unit stands for what alone varies in its clips."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model, Stage, device_of, refuse_other_sizes
from motes.nn.coding import PictureShape, network
from motes.ops.divergence import kl_to_standard_normal, sample_normal
from motes.ops.groups import group_means
from motes.ops.image_loss import squared_error
from motes.ops.types import Batch, Code, Image, Losses


@dataclass(frozen=True)
class Config:
    """What a deep convolutional inverse graphics network is made of."""

    image_size: tuple[int, int] = (64, 64)  # rows, columns
    channels: int = 3
    units: tuple[int, ...] = (1, 1, 1, 12)  # of each thing that may vary in a clip, by its number; here the last are the look's
    width: int = 256  # of the hidden layers, or half the maps with which drawing begins
    network: str = "dense"
    noise: float = 0.1  # of a pixel, as the model believes: less = more is told by the units, at the KL's cost
    invariance: float = 1.0  # pull of the units that should not vary in a clip to their mean; the paper's code has 0.01
    plain: float = 0.3  # share of the steps in which units are not yet clamped: a plain variational autoencoder


class InverseGraphicsNetwork(Model):
    """A VAE whose units of all but what varies are replaced by their means over the clip (Kulkarni et al. 2015,
    https://arxiv.org/abs/1503.03167).

    |x - decode(z')|^2 / 2s^2 + KL(q(z|x) || N(0, 1)) + l/2 |z_o - mean z_o|^2,  z' = (z_v, mean z_o)

    z_v are the units of what varies, z_o all others, whose means pass no gradient on: what the picture owes to what varies can only
    come through z_v. The paper writes the last term as a substituted gradient, which is the same.
    """

    Config = Config
    needs = ("varies", "clip")
    whole_clips = True
    owner: Tensor

    def __init__(self, config: Config):
        super().__init__()
        shape, kind = PictureShape.of(config), network(config.network)
        if min(config.units, default=0) < 1 or config.noise <= 0:
            raise UserError(f"units {config.units} must be at least 1 of each, and noise {config.noise} above 0")
        if not 0 <= config.plain < 1:
            raise UserError(f"plain must be a share of the steps from 0 up and below 1, not {config.plain}")
        self.config, self.count = config, sum(config.units)
        self.read = kind.reader(shape, config.width, 2 * self.count)
        self.draw = kind.drawer(shape, config.width, self.count)
        owner = torch.repeat_interleave(torch.arange(len(config.units)), torch.tensor(config.units))
        self.register_buffer("owner", owner, persistent=False)

    def stages(self) -> tuple[Stage, ...]:
        learning, plain = tuple(self.parameters()), self.config.plain
        clamped = Stage("clamped", 1 - plain, self.loss, learning)
        return (Stage("plain", plain, self.plain_loss, learning), clamped) if plain else (clamped,)

    def loss(self, batch: Batch) -> Losses:
        mean, log_variance = self._read(batch.image)
        code = sample_normal(mean, log_variance)
        still = group_means(code, batch.facts["clip"]).detach()
        moves = self._moves(batch)
        apart = torch.where(moves, torch.zeros_like(code), code - still).square().sum(1) / 2
        parts = self._parts(batch.image, torch.where(moves, code, still), mean, log_variance)
        total = sum(parts.values()) + self.config.invariance * apart
        return Losses(total.mean(), {**parts, "invariance": apart})

    def plain_loss(self, batch: Batch) -> Losses:
        mean, log_variance = self._read(batch.image)
        parts = self._parts(batch.image, sample_normal(mean, log_variance), mean, log_variance)
        return Losses(sum(parts.values(), torch.zeros(())).mean(), parts)

    def encode(self, image: Image) -> Code:
        return Code(*self._read(image))

    def decode(self, latent: Code) -> Image:
        return torch.sigmoid(self.draw(latent.vector))

    def sample(self, count: int) -> Code:
        mean = torch.randn(count, self.count, device=device_of(self))
        return Code(mean, torch.full_like(mean, -20.0))

    def _parts(self, image: Image, code: Tensor, mean: Tensor, log_variance: Tensor) -> dict[str, Float[Tensor, "B"]]:
        error = squared_error(self.decode(Code(code)), image) / (2 * self.config.noise**2)
        return {"reconstruction": error, "kl": kl_to_standard_normal(mean, log_variance).sum(1)}

    def _moves(self, batch: Batch) -> Bool[Tensor, "B F"]:
        """Which units stand for what varies in a picture's clip."""
        varies = batch.facts["varies"]
        if len(varies) and not 0 <= int(varies.min()) <= int(varies.max()) < len(self.config.units):
            raise UserError(
                f"units are told for {len(self.config.units)} things that vary, numbered from 0, and in a clip number {int(varies.max())} does; "
                "give units of each"
            )
        return varies[:, None] == self.owner

    def _read(self, image: Image) -> tuple[Float[Tensor, "B F"], Float[Tensor, "B F"]]:
        refuse_other_sizes(self.config, image)
        mean, log_variance = self.read(image).chunk(2, -1)
        return mean, log_variance.clamp(-20, 10)
