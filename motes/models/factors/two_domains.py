"""The paired autoencoder: two domains of pictures, such as the faces of two people, with one shared encoder.

Each domain has a decoder. The code keeps what both domains share, and the decoders keep what distinguishes
them. So a face of one person can be drawn as the other, with the same expression. Use it on faces of people
who agreed to that.
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

WARPED = 0.75  # share of the pictures that the encoder reads warped
DOMAINS = (0, 1)


@dataclass(frozen=True)
class PairedConfig:
    """Options of a paired autoencoder."""

    # rows, columns
    image_size: tuple[int, int] = (64, 64)
    channels: int = 3
    # numbers that both domains share; with too many, identity is coded too
    code_dim: int = 16
    # channels of the first convolution
    width: int = 24
    # convolutional, dense or linear
    network: str = "convolutional"
    # pyramid, absolute, mse, textures or another reconstruction loss: pixels alone give the mean expression
    reconstruction: str = "pyramid"
    # side of the window, in pixels, over which the encoder compares light; wider windows let skin and hair
    # reveal the identity
    contrast: int = 9
    # weight that pulls each domain's mean code to 0; with more, chance differences of a batch outweigh
    # expressions
    level: float = 3.0
    # standard deviation of the noise on codes, whose numbers have variance 1; it makes each decoder learn
    # codes that only the other domain reaches
    noise: float = 0.5
    # 2: one encoder for each domain, for comparison; their codes do not correspond
    encoders: int = 1
    # strength of the warp of the encoder's pictures; 0 lets the encoder copy alignment and identity
    bend: float = 0.004
    # shift of these warps, in half pictures
    shift: float = 0.03
    # rotation of these warps, in degrees
    turn: float = 3.0


@dataclass(frozen=True)
class PairedCode(Rows):
    """The codes of pictures, and the domain in which each is to be drawn."""

    vector: Float[Tensor, "B F"]
    # 0 or 1
    domain: Int[Tensor, "B"]

    @property
    def code(self) -> Float[Tensor, "B F"]:
        return self.vector

    def with_code(self, code: Float[Tensor, "B F"]) -> "PairedCode":
        return replace(self, vector=code)


class PairedAutoencoder(Model):
    """A paired autoencoder: loss(D_d(E(w(x)) + e), x) + l |mean_d E(w(x))|^2 for pictures x of domain d.

    E is the encoder, D_d the decoder of domain d, w a random warp, e noise, l a weight. D_(1-d)(E(x)) draws a
    picture in the other domain. The decoders undo warps and noise: the code keeps what varies in both
    domains, and each decoder adds what is always the same in its own. The encoder reads local contrast alone,
    in which the domains look alike. Its codes have a fixed length; otherwise they would grow until noise does
    not matter, or shrink to 0. There is no paper; the layout is that of the face tools of 2018.
    """

    Config = PairedConfig
    needs = ("domain",)
    basis: Tensor

    def __init__(self, config: PairedConfig):
        super().__init__()
        shape = PictureShape.of(config)
        if config.encoders not in ROUTES:
            raise UserError(f"encoders must be 1, which both domains share, or 2, not {config.encoders}")
        self.config = config
        kind = picture_network(config.network)
        self.read = nn.ModuleList(_reader(config, shape) for _ in range(config.encoders))
        self.draw = nn.ModuleList(kind.drawer(shape, config.width, config.code_dim) for _ in DOMAINS)
        self.route = ROUTES[config.encoders]
        self.observed = reconstruction_loss(config.reconstruction)
        self.warps = _warps(config)
        basis = thin_plate_basis(even_points(config.image_size, torch.zeros(1)), CONTROLS)
        self.register_buffer("basis", basis, persistent=False)

    def loss(self, batch: Batch) -> Losses:
        latent = self.encode_as(self._warped(batch.image), batch.labels["domain"])
        noise = self.config.noise * normal_like(latent.vector)
        return self._losses(latent, replace(latent, vector=latent.vector + noise), batch)

    def validate(self, batch: Batch) -> Losses:
        """The loss without warps and without noise."""
        latent = self.encode_as(batch.image, batch.labels["domain"])
        return self._losses(latent, latent, batch)

    def encode(self, image: Image) -> PairedCode:
        """The code of each picture, marked with the domain whose decoder draws the picture better."""
        refuse_other_sizes(self.config, image)
        codes = [
            self.encode_as(image, torch.full((len(image),), domain, device=image.device))
            for domain in DOMAINS
        ]
        errors = torch.stack([squared_error(self.decode(code), image) for code in codes])
        domain = errors.argmin(0)
        vectors = torch.stack([code.vector for code in codes])
        return PairedCode(vectors[domain, torch.arange(len(image), device=image.device)], domain)

    def encode_as(self, image: Image, domain: Int[Tensor, "B"]) -> PairedCode:
        """The code of each picture, marked with the given domain."""
        if len(domain) and not 0 <= int(domain.min()) <= int(domain.max()) <= 1:
            raise UserError(f"there are two domains, 0 and 1; these data have {sorted(set(domain.tolist()))}")
        return PairedCode(self.route(self.read, image, domain), domain.long())

    def decode(self, latent: PairedCode) -> Image:
        return torch.sigmoid(by_domain(self.draw, latent.vector, latent.domain))

    def swapped(self, latent: PairedCode) -> PairedCode:
        """The same codes, each marked with the other domain."""
        return replace(latent, domain=1 - latent.domain)

    def _losses(self, latent: PairedCode, noisy: PairedCode, batch: Batch) -> Losses:
        error = self.observed(self.decode(noisy), batch.image)
        mean_code = group_means(latent.vector, latent.domain).square().sum(1)
        total = (error + self.config.level * mean_code).mean()
        return Losses(total, {"reconstruction": error, "mean_code": mean_code})

    def _warped(self, image: Image) -> Image:
        """The pictures, three in four of them warped at random.

        The others stay sharp, because the encoder must read sharp pictures too.
        """
        weights = random_weights(image, self.warps, 1.0)
        warped = resampled(image, self.basis @ weights, "border")
        return torch.where(uniform_like(image[:, :1, :1, :1]) < WARPED, warped, image)


def by_domain(networks: nn.ModuleList, values: Tensor, domain: Int[Tensor, "B"]) -> Tensor:
    """The outputs for all rows of `values`, each computed by the network of its row's domain, in the same
    order."""
    rows = [(domain == number).nonzero()[:, 0] for number in DOMAINS]
    outputs = [
        network(values[rows_of_domain])
        for network, rows_of_domain in zip(networks, rows, strict=True)
        if len(rows_of_domain)
    ]
    return torch.cat(outputs)[torch.cat(rows).argsort()]


def by_shared(networks: nn.ModuleList, values: Tensor, domain: Int[Tensor, "B"]) -> Tensor:
    """The outputs for all rows of `values`, computed by the single network whatever the domain."""
    return networks[0](values)


# number of encoders -> how pictures go through them
ROUTES = {1: by_shared, 2: by_domain}


def _reader(config: PairedConfig, shape: PictureShape) -> nn.Module:
    grey = replace(shape, channels=1)
    reader = picture_network(config.network).reader(grey, config.width, config.code_dim)
    norm = nn.LayerNorm(config.code_dim, elementwise_affine=False)
    return nn.Sequential(LocalContrast(config.contrast), reader, norm)


def _warps(config: PairedConfig) -> Warps:
    """The strength of the random warps of the encoder's pictures."""
    return Warps(
        bend=config.bend / 10,
        bend_some=config.bend,
        shift=config.shift,
        scale=config.shift,
        turn=config.turn,
    )
