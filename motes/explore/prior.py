"""What a likely latent is, learnt from those of training pictures: how far one lies from them, and where it
must stay."""

from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from motes.types.latents import Particles

WIDEST = 512  # numbers whose covariance is kept whole
# least standard deviation of a direction, in those of the widest: what hardly varied may hardly vary
FLOOR = 1e-3


@runtime_checkable
class Prior(Protocol):
    """Of the parts of a latent on which the picture depends."""

    scale: dict[str, Tensor]  # the spread of each number, the unit in which a search takes its steps

    def distance(self, latent: Any) -> Float[Tensor, "B"]:
        """From the training latents: twice the negative logarithm of the density, but for a constant."""
        ...

    def kept(self, latent: Any) -> Any:
        """The nearest latent that can be."""
        ...


@dataclass(frozen=True)
class Normal:
    """The law of some vectors; `whitening` turns what differs from the mean into independent numbers of
    variance 1."""

    mean: Float[Tensor, " F"]
    whitening: Float[Tensor, "F F"] | Float[Tensor, " F"]

    @classmethod
    def of(cls, vectors: Float[Tensor, "M F"]) -> "Normal":
        mean = vectors.mean(0)
        centred = vectors - mean
        if not len(vectors) > 1 or vectors.shape[1] > min(
            WIDEST, len(vectors) // 2
        ):  # too few to know what goes with what
            spread = centred.square().mean(0).sqrt()
            return cls(mean, 1 / spread.clamp_min(max(FLOOR * float(spread.max()), 1e-9)))
        values, axes = torch.linalg.eigh(centred.T.double() @ centred.double() / (len(vectors) - 1))
        least = max(FLOOR**2 * float(values[-1]), 1e-18)
        return cls(mean, (axes * values.clamp_min(least).rsqrt()).to(vectors))

    def distance(self, vectors: Float[Tensor, "*B F"]) -> Float[Tensor, "*B"]:
        """Mahalanobis', squared."""
        away = vectors - self.mean
        return (
            (away @ self.whitening if self.whitening.dim() == 2 else away * self.whitening).square().sum(-1)
        )


class CodePrior:
    """Every part one normal vector a picture."""

    def __init__(self, latent: Any, names: tuple[str, ...]):
        found = {name: latent.tensors()[name] for name in names}
        self.scale = {name: _spread(value) for name, value in found.items()}
        self._laws = {name: Normal.of(value.flatten(1)) for name, value in found.items()}

    def distance(self, latent: Any) -> Float[Tensor, "B"]:
        return torch.stack(
            [law.distance(getattr(latent, name).flatten(1)) for name, law in self._laws.items()]
        ).sum(0)

    def kept(self, latent: Any) -> Any:
        return latent


class ParticlePrior:
    """Looks are alike whoever has them; places lie in the picture; to be there costs something, to be half
    there more.

    What is not there has any look for nothing. Whatever else there is, such as the background, is one normal
    vector a picture.
    """

    def __init__(self, latent: Particles, names: tuple[str, ...]):
        there = latent.presence > 0.5
        if not there.any():
            there = torch.ones_like(there)
        particles = latent.per_particle()
        self.scale = {name: _spread(particles[name].flatten(0, 1)) for name in names if name in particles}
        self._look = (
            Normal.of(latent.features[there]) if "features" in names and int(there.sum()) > 1 else None
        )
        self._rest = CodePrior(latent, tuple(name for name in names if name not in particles))
        self.scale |= self._rest.scale

    def distance(self, latent: Particles) -> Float[Tensor, "B"]:
        there = latent.presence
        total = (there + 4 * there * (1 - there)).sum(1)
        if self._look is not None:
            total = total + (there * self._look.distance(latent.features)).sum(1)
        return total + self._rest.distance(latent) if self._rest.scale else total

    def kept(self, latent: Particles) -> Particles:
        return replace(latent, position=latent.position.clamp(-1, 1), presence=latent.presence.clamp(0, 1))


def learn_prior(latent: Any, names: tuple[str, ...]) -> Prior:
    """From the latents of training pictures."""
    return ParticlePrior(latent, names) if isinstance(latent, Particles) else CodePrior(latent, names)


def _spread(values: Float[Tensor, "M ..."]) -> Float[Tensor, "..."]:
    spread = (values - values.mean(0)).square().mean(0).sqrt()
    return spread.clamp_min(max(FLOOR * float(spread.max()), 1e-6))
