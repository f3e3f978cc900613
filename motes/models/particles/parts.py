"""The interfaces between the parts of a particle model, and the options that these parts read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError
from motes.models.particles.encoding import DiagonalNormal, Drawn, Encoding
from motes.ops.rendering.composite import render
from motes.ops.rendering.glimpse import Windows, place_glimpses
from motes.types.batch import Batch
from motes.types.latents import Image, Particles

# of a configuration


@runtime_checkable
class ParticleSizes(Protocol):
    """The sizes that the configuration of every particle model has."""

    @property
    def image_size(self) -> tuple[int, int]: ...

    @property
    def channels(self) -> int: ...

    @property
    def num_particles(self) -> int: ...

    @property
    def num_proposals(self) -> int: ...

    @property
    def feature_dim(self) -> int: ...

    @property
    def patch_size(self) -> int: ...

    @property
    def glimpse_size(self) -> int: ...


class SizedSizes(ParticleSizes, Protocol):
    """Those of particles that have a size each."""

    @property
    def background(self) -> Literal["auto", "still", "varying"]: ...


@runtime_checkable
class HeatMapSizes(ParticleSizes, Protocol):
    """The sizes that networks with heat maps read beside those of `ParticleSizes`."""

    @property
    def encoder_channels(self) -> Sequence[int]: ...

    @property
    def prior_channels(self) -> Sequence[int]: ...

    @property
    def prior_std(self) -> float: ...


def check_particle_sizes(config: ParticleSizes) -> None:
    """Refuse sizes that cannot work, with a message that names ones that would."""
    for name in ("num_particles", "num_proposals", "feature_dim", "patch_size", "glimpse_size", "channels"):
        if getattr(config, name) < 1:
            raise UserError(f"{name} must be at least 1, not {getattr(config, name)}")
    _check_patches(config)
    _check_glimpses(config)


def _check_patches(config: ParticleSizes) -> None:
    patch = config.patch_size
    for side in config.image_size:
        if side % patch or side < patch:
            lower = max(side // patch, 1) * patch
            raise UserError(
                f"image_size {side} is not a multiple of patch_size {patch}; try {lower} or {lower + patch}"
            )


def _check_glimpses(config: ParticleSizes) -> None:
    if config.glimpse_size > min(config.image_size):
        smaller = max(min(config.image_size) // 4, 1)
        raise UserError(
            f"glimpse_size {config.glimpse_size} is larger than the picture {config.image_size}; "
            f"try {smaller}"
        )


def prior_image_of(batch: Batch) -> Image:
    """The pictures from which proposals are read: the second pictures of warped pairs, if there are pairs."""
    return batch.image if batch.prior_image is None else batch.prior_image


# of the object model


@runtime_checkable
class ParticleEncoder(Protocol):
    """An encoder that maps pictures to particles."""

    def __call__(self, image: Image, prior_image: Image | None, decoder: "ParticleDecoder") -> Encoding:
        """The posterior of `image`, and the proposals of `prior_image`, if there is one."""
        ...

    def presence_parameters(self) -> list[nn.Parameter]:
        """The parameters that learn nothing while presence is random."""
        ...


@runtime_checkable
class ParticleDecoder(Protocol):
    """A decoder that maps particles to glimpses, and draws the background behind them."""

    # number of pictures whose median is the first guess at the background; 0: it starts from no pictures
    starts_from: int

    @property
    def unit(self) -> float | Tensor:
        """The error that losses are divided by, so that their weights mean the same for all data."""
        ...

    def background_parameters(self) -> list[nn.Parameter]:
        """The parameters that learn nothing in the warm-up."""
        ...

    def glimpses(self, features: Float[Tensor, "B K F"]) -> Float[Tensor, "B K D S S"]:
        """The particles drawn alone: alpha first, then colours, all in [0, 1]."""
        ...

    def background(
        self, position: Tensor, features: Tensor, background: Tensor, background_position: Tensor
    ) -> Image: ...

    def behind_particles(self, background: Image, image: Image) -> tuple[Image, Float[Tensor, "B"] | None]:
        """The background over which particles are drawn while training, and a loss of its own, if it has one.

        A background with a loss of its own gets no gradient from the drawn picture.
        """
        ...

    def render(self, drawn: Drawn, background: Image, grain: Float[Tensor, "B K s s"] | None = None) -> Image:
        """The glimpses, laid over the background at their positions, the first in front."""
        ...

    def windows(self, drawn: Drawn, canvas: tuple[int, int]) -> Windows:
        """The same glimpses as windows of the canvas, each alone."""
        ...

    def middle(self, glimpses: Float[Tensor, "B K D S S"]) -> Float[Tensor, "B K 2"]:
        """The point of each glimpse that is laid at the position, in pixels of the glimpse from its middle."""
        ...

    def middles(self, particles: Particles) -> Float[Tensor, "B K 2"]:
        """The middle of what each particle draws, as positions are given."""
        ...

    def background_error(self, background: Float[Tensor, "B F"], image: Image) -> Float[Tensor, "B"]:
        """The loss of the background in the warm-up, before particles are drawn.

        It is 0 for a background that learns only together with the particles.
        """
        ...

    def start(self, pictures: Image) -> None:
        """Set a first guess of the background before the first step, given pictures from all over the data."""
        ...


class OneSize:
    """The part of a decoder that lays glimpses over a picture, each as large as it is drawn."""

    unit = 1.0

    def behind_particles(self, background: Image, image: Image) -> tuple[Image, Float[Tensor, "B"] | None]:
        return background, None

    def render(self, drawn: Drawn, background: Image, grain: Float[Tensor, "B K s s"] | None = None) -> Image:
        return render(drawn.glimpses, drawn.position, drawn.presence, background, grain)

    def windows(self, drawn: Drawn, canvas: tuple[int, int]) -> Windows:
        return place_glimpses(drawn.glimpses, drawn.position, canvas)

    def middle(self, glimpses: Float[Tensor, "B K D S S"]) -> Float[Tensor, "B K 2"]:
        """Zeros: a glimpse lies with its own middle at the position."""
        return glimpses.new_zeros(*glimpses.shape[:2], 2)

    def middles(self, particles: Particles) -> Float[Tensor, "B K 2"]:
        """The positions."""
        return particles.position


# of the masked model


@dataclass(frozen=True)
class SceneCode:
    """The codes that a masked model paints a picture from, besides the particles' maps and the bypass."""

    position: Float[Tensor, "B K 2"]
    features: Float[Tensor, "B K F"]
    background: Float[Tensor, "B F"]
    # where the background's node is, in a network that has one
    background_position: Float[Tensor, "B 2"]


@runtime_checkable
class MaskedNetworks(Protocol):
    """The encoder and the decoder of a masked model. `outside` is 1 where no particle's disk is, else 0."""

    def locate(self, image: Image) -> tuple[Float[Tensor, "B N h w"], DiagonalNormal]:
        """Feature maps, which also serve as the bypass, and the particles' positions."""
        ...

    def appearance(
        self,
        maps: Float[Tensor, "B N h w"],
        position: Float[Tensor, "B K 2"],
        outside: Float[Tensor, "B 1 h w"],
    ) -> tuple[DiagonalNormal, DiagonalNormal]:
        """The particles' features and the background's features."""
        ...

    def paint(
        self,
        maps: Float[Tensor, "B K h w"],
        outside: Float[Tensor, "B 1 h w"],
        scene: SceneCode,
        bypass: Float[Tensor, "B N h w"],
    ) -> Image: ...
