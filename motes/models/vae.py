"""A variational autoencoder: one Gaussian code a picture."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError
from motes.models.base import Model, device_of, refuse_other_sizes
from motes.nn.anchored import UpwardNetwork
from motes.nn.normalisation import BatchNorm
from motes.nn.perceptual import reconstruction_loss
from motes.ops.divergence import kl_to_standard_normal, sample_normal
from motes.ops.types import Batch, Code, Image, Losses


@dataclass(frozen=True)
class Config:
    """What a variational autoencoder is made of."""

    image_size: tuple[int, int] = (64, 64)  # rows, columns
    channels: int = 3
    code_dim: int = 128  # numbers that describe a picture
    width: int = 32  # of the first convolution
    reconstruction: str = "mse"
    beta: float = 1.0  # weight of the KL: more = fewer numbers used, blurrier pictures


class VariationalAutoencoder(Model):
    """rec(x, decode(z)) + beta KL(q(z|x) || N(0, 1)), z ~ q(z|x) (Kingma & Welling 2013, https://arxiv.org/abs/1312.6114)."""

    Config = Config

    def __init__(self, config: Config):
        super().__init__()
        if min(config.image_size) < 8 or config.code_dim < 1:
            raise UserError(f"image_size {config.image_size} must be at least 8 a side and code_dim at least 1")
        self.config = config
        layers: list[nn.Module] = []
        channels, width, size = config.channels, config.width, config.image_size
        while min(size) > 7:
            layers += [nn.Conv2d(channels, width, 4, stride=2, padding=1, bias=False), BatchNorm(width), nn.ReLU()]
            channels, width, size = width, min(2 * width, 128), (size[0] // 2, size[1] // 2)
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(channels * size[0] * size[1], 2 * config.code_dim)
        self.draw = UpwardNetwork(config.code_dim, config.image_size, config.channels, 2 * config.width, direct=True)
        self.reconstruction_loss = reconstruction_loss(config.reconstruction)

    def loss(self, batch: Batch) -> Losses:
        mean, log_variance = self._read(batch.image)
        error = self.reconstruction_loss(self._draw(sample_normal(mean, log_variance)), batch.image)
        divergence = kl_to_standard_normal(mean, log_variance).sum(1)
        return Losses((error + self.config.beta * divergence).mean(), {"reconstruction": error, "kl": divergence})

    def encode(self, image: Image) -> Code:
        return Code(*self._read(image))

    def decode(self, latent: Code) -> Image:
        return self._draw(latent.vector)

    def sample(self, count: int) -> Code:
        mean = torch.randn(count, self.config.code_dim, device=device_of(self))
        return Code(mean, torch.full_like(mean, -20.0))

    def _read(self, image: Image) -> tuple[Float[Tensor, "B F"], Float[Tensor, "B F"]]:
        refuse_other_sizes(self.config, image)
        mean, log_variance = self.head(self.body(image).flatten(1)).chunk(2, -1)
        return mean, log_variance

    def _draw(self, code: Float[Tensor, "B F"]) -> Image:
        return torch.sigmoid(self.draw(code))
