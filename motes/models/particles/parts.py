"""What the parts of a particle model hand to each other."""

from dataclasses import dataclass
from typing import Protocol

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Normal:
    """A diagonal normal distribution."""

    mean: Float[Tensor, "*shape"]
    log_variance: Float[Tensor, "*shape"]


@dataclass(frozen=True)
class Encoding:
    """All that an encoder says of a batch of pictures."""

    proposals: Float[Tensor, "B M 2"]
    # B K 2
    position: Normal
    presence: Float[Tensor, "B K"]
    # B K F
    features: Normal
    # B F
    background: Normal
    # cut from the picture where the appearance was read
    glimpses: Float[Tensor, "B K C S S"]


@dataclass(frozen=True)
class SceneCode:
    """What a masked model paints from, besides maps and by-pass."""

    position: Float[Tensor, "B K 2"]
    features: Float[Tensor, "B K F"]
    background: Float[Tensor, "B F"]
    # where the background's node is, in a network that has one
    wandering: Float[Tensor, "B 2"]


class ParticleEncoder(Protocol):
    def __call__(self, image: Tensor, prior_image: Tensor, decoder: "ParticleDecoder") -> Encoding: ...


class ParticleDecoder(Protocol):
    starts_from: int  # pictures, whose median is the first guess at the background

    def glimpses(self, features: Float[Tensor, "B K F"]) -> Float[Tensor, "B K D S S"]:
        """RGBA, alpha first, all in [0, 1]."""
        ...

    def background(
        self, position: Tensor, features: Tensor, background: Tensor, background_position: Tensor
    ) -> Float[Tensor, "B C H W"]: ...

    def background_error(
        self, background: Float[Tensor, "B F"], image: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, "B"]:
        """What a background is paid for in the warm-up, before particles are drawn; 0 for one that learns
        with them only."""
        ...

    def start_background(self, picture: Float[Tensor, "C H W"]) -> None:
        """Before the first step: a first guess at what is the same in all pictures. Not asked of one that
        starts from no pictures."""
        ...
