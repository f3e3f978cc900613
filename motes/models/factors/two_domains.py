"""Two domains, one encoder, two decoders: what both share goes through the code, what tells them apart stays
in the decoders.

A face of one person is so drawn as the other, with the same expression. Use it on faces of people who agreed
to that.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from motes.errors import UserError
from motes.models.base import Model, refuse_other_sizes
from motes.nn.blocks.local_contrast import LocalContrast
from motes.nn.coders.networks import PictureShape, picture_network
from motes.ops.densities.noise import normal_like, uniform_like
from motes.ops.pictures.groups import group_means
from motes.ops.pictures.image_loss import squared_error
from motes.ops.points.warp import CONTROLS, Warps, even_points, random_weights, resampled, thin_plate_basis
from motes.types.batch import Batch, Losses
from motes.types.latents import Image
from motes.types.rows import Rows
from motes.weights.reconstruction import reconstruction_loss

WARPED = 0.75  # share of what the encoder reads


@dataclass(frozen=True)
class PairedConfig:
    """What a paired autoencoder is made of."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    channels: int = 3
    # numbers that both domains share; too many, and identity slips through
    code_dim: int = 16
    # of the first convolution
    width: int = 24
    network: str = "convolutional"
    # or absolute, mse, textures ...: pixels alone settle for the mean expression
    reconstruction: str = "pyramid"
    # pixels a side over which the encoder compares light; wider, and skin and hair tell it who it is
    contrast: int = 9
    # pull of each domain's mean code to 0; more, and chance differences of a batch drown what expressions
    # tell
    level: float = 3.0
    # added to codes, whose numbers have variance 1: each decoder so learns to draw what only the other's
    # codes reach
    noise: float = 0.5
    # 2: one for each domain, whose codes mean nothing to each other; for comparison
    encoders: int = 1
    # of what the encoder reads: how far it is warped; 0 lets it copy alignment and identity
    bend: float = 0.004
    # in half pictures
    shift: float = 0.03
    # degrees
    turn: float = 3.0


@dataclass(frozen=True)
class PairedCode(Rows):
    """What a picture shows, and of which domain it is drawn."""

    vector: Float[Tensor, "B F"]
    # 0 or 1
    domain: Int[Tensor, "B"]

    @property
    def code(self) -> Float[Tensor, "B F"]:
        return self.vector

    def with_code(self, code: Float[Tensor, "B F"]) -> "PairedCode":
        return replace(self, vector=code)


class PairedAutoencoder(Model):
    """loss(D_d(E(w(x)) + e), x) + l |mean_d E(w(x))|^2 for pictures x of domain d, w a random warp, e noise;
    swapped: D_(1-d)(E(x)).

    Warps and noise are undone by the decoders: what is left in the code is what both must know, and each
    decoder adds what is always the same in its domain. The encoder sees local contrast alone, in which
    domains look alike, and its codes have a fixed length, or it would escape noise and pull. There is no
    paper; the layout is that of the face tools of 2018.
    """

    Config = PairedConfig
    needs = ("domain",)
    basis: Tensor

    def __init__(self, config: PairedConfig):
        super().__init__()
        shape = PictureShape.of(config)
        if config.encoders not in (1, 2):
            raise UserError(f"encoders must be 1, which both domains share, or 2, not {config.encoders}")
        self.config = config
        kind = picture_network(config.network)
        self.read = nn.ModuleList(_reader(config, shape) for _ in range(config.encoders))
        self.draw = nn.ModuleList(kind.drawer(shape, config.width, config.code_dim) for _ in range(2))
        self.observed = reconstruction_loss(config.reconstruction)
        basis = thin_plate_basis(even_points(config.image_size, torch.zeros(1)), CONTROLS)
        self.register_buffer("basis", basis, persistent=False)

    def loss(self, batch: Batch) -> Losses:
        latent = self.encode_as(self._warped(batch.image), batch.labels["domain"])
        return self._losses(
            latent,
            replace(latent, vector=latent.vector + self.config.noise * normal_like(latent.vector)),
            batch,
        )

    def validate(self, batch: Batch) -> Losses:
        latent = self.encode_as(batch.image, batch.labels["domain"])
        return self._losses(latent, latent, batch)

    def encode(self, image: Image) -> PairedCode:
        """Of the domain whose decoder draws it better."""
        refuse_other_sizes(self.config, image)
        tried = [
            self.encode_as(image, torch.full((len(image),), domain, device=image.device)) for domain in (0, 1)
        ]
        errors = torch.stack([squared_error(self.decode(one), image) for one in tried])
        domain = errors.argmin(0)
        vectors = torch.stack([one.vector for one in tried])
        return PairedCode(vectors[domain, torch.arange(len(image), device=image.device)], domain)

    def encode_as(self, image: Image, domain: Int[Tensor, "B"]) -> PairedCode:
        """Where the domain is known."""
        if len(domain) and not 0 <= int(domain.min()) <= int(domain.max()) <= 1:
            raise UserError(f"there are two domains, 0 and 1; these data have {sorted(set(domain.tolist()))}")
        return PairedCode(_by_domain(self.read, image, domain), domain.long())

    def decode(self, latent: PairedCode) -> Image:
        return torch.sigmoid(_by_domain(self.draw, latent.vector, latent.domain))

    def swapped(self, latent: PairedCode) -> PairedCode:
        """The same, to be drawn as of the other domain."""
        return replace(latent, domain=1 - latent.domain)

    def _losses(self, latent: PairedCode, noisy: PairedCode, batch: Batch) -> Losses:
        error = self.observed(self.decode(noisy), batch.image)
        lean = group_means(latent.vector, latent.domain).square().sum(1)
        return Losses((error + self.config.level * lean).mean(), {"reconstruction": error, "lean": lean})

    def _warped(self, image: Image) -> Image:
        """Three of four; the encoder must know pictures as they are too, which are sharper."""
        config = self.config
        warps = Warps(
            bend=config.bend / 10,
            bend_some=config.bend,
            shift=config.shift,
            scale=config.shift,
            turn=config.turn,
        )
        warped = resampled(image, self.basis @ random_weights(image, warps, 1.0), "border")
        return torch.where(uniform_like(image[:, :1, :1, :1]) < WARPED, warped, image)


def _reader(config: PairedConfig, shape: PictureShape) -> nn.Module:
    reader = picture_network(config.network).reader(replace(shape, channels=1), config.width, config.code_dim)
    return nn.Sequential(
        LocalContrast(config.contrast), reader, nn.LayerNorm(config.code_dim, elementwise_affine=False)
    )


def _by_domain(networks: nn.ModuleList, values: Tensor, domain: Int[Tensor, "B"]) -> Tensor:
    """Every row through the network of its domain, or all through the only one; in their order."""
    if len(networks) == 1:
        return networks[0](values)
    rows = [(domain == number).nonzero()[:, 0] for number in (0, 1)]
    parts = [one(values[own]) for one, own in zip(networks, rows, strict=True) if len(own)]
    return torch.cat(parts)[torch.cat(rows).argsort()]
