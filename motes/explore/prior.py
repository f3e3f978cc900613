"""Priors of latents, learnt from the latents of training pictures.

A prior measures how far a latent is from those of training pictures, and says which latents are possible at
all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motes.errors import UserError
from motes.types.latents import Particles
from motes.types.rows import Rows
from motes.types.slots import Slots

WIDEST = 512  # numbers of a vector whose covariance is estimated; of wider ones only the variances are
# least standard deviation of a direction, in those of the widest: what hardly varied may hardly vary
FLOOR = 1e-3
# least standard deviations of parts of a particle, in their own units: a size may always vary by a tenth
LEAST = {"extent.scale": 0.1}


@runtime_checkable
class Prior(Protocol):
    """A prior of the parts of a latent on which the picture depends."""

    # name of a part -> the spread of each of its numbers, the unit of a search's steps
    scale: dict[str, Tensor]

    def distance(self, latent: Any) -> Float[Tensor, "B"]:
        """How far each latent is from the training latents: minus twice the log-density, up to a constant."""
        ...

    def projected(self, latent: Any) -> Any:
        """The nearest latent that is possible, such as one whose positions lie in the picture."""
        ...


@dataclass(frozen=True)
class FittedNormal:
    """A normal distribution of vectors.

    `whitening` turns the difference from the mean into independent numbers of variance 1. It is a matrix, or
    a vector if only variances were fitted.
    """

    mean: Float[Tensor, " F"]
    whitening: Float[Tensor, "F F"] | Float[Tensor, " F"]

    @classmethod
    def of(cls, vectors: Float[Tensor, "M F"], least: float = 1e-9) -> "FittedNormal":
        """The normal distribution fitted to M vectors, in no direction narrower than `least`.

        If there are too few vectors, or if they are too long for a full covariance matrix, only variances are
        fitted.
        """
        mean = vectors.mean(0)
        centred = vectors - mean
        widest = min(WIDEST, len(vectors) // 2)
        if len(vectors) < 2 or vectors.shape[1] > widest:
            return cls(mean, _inverse_deviations(centred, least))
        return cls(mean, _whitening(centred, least))

    def distance(self, vectors: Float[Tensor, "*B F"]) -> Float[Tensor, "*B"]:
        """The squared Mahalanobis distance of each vector from the mean."""
        difference = vectors - self.mean
        if self.whitening.dim() == 2:
            return (difference @ self.whitening).square().sum(-1)
        return (difference * self.whitening).square().sum(-1)


class VectorPrior:
    """A prior in which each part of a picture's latent is one normally distributed vector.

    It serves any record of tensors.
    """

    def __init__(self, latent: Rows, names: Sequence[str]):
        parts = {name: latent.tensors()[name] for name in names}
        self.scale = {name: _spread(value) for name, value in parts.items()}
        self._normals = {name: FittedNormal.of(value.flatten(1)) for name, value in parts.items()}

    def distance(self, latent: Rows) -> Float[Tensor, "B"]:
        parts = latent.tensors()
        distances = [normal.distance(parts[name].flatten(1)) for name, normal in self._normals.items()]
        return torch.stack(distances).sum(0)

    def projected(self, latent: Any) -> Any:
        return latent


class ParticlePrior:
    """A prior in which all particles share one normal distribution of features, and one of the logarithms of
    their scales where they have scales. Positions lie in the picture.

    A present particle has a cost, and a half-present one costs more. The features and the scale of an absent
    particle cost nothing. All other parts, such as the background, are one normally distributed vector per
    picture.
    """

    def __init__(self, latent: Particles, names: Sequence[str]):
        particles = latent.per_particle()
        present = _some(latent.presence > 0.5)
        self.scale = {name: _spread(particles[name].flatten(0, 1)) for name in names if name in particles}
        self._normals = {
            name: FittedNormal.of(value[present], LEAST.get(name, 1e-9))
            for name, value in _of_one_kind(latent).items()
            if name in names and int(present.sum()) > 1
        }
        self._smallest = None if latent.extent is None else latent.extent.scale.amin((0, 1))
        self._background = VectorPrior(latent, [name for name in names if name not in particles])
        self.scale |= self._background.scale

    def distance(self, latent: Particles) -> Float[Tensor, "B"]:
        presence = latent.presence
        total = (presence + 4 * presence * (1 - presence)).sum(1)
        parts = _of_one_kind(latent)
        for name, normal in self._normals.items():
            total = total + (presence * normal.distance(parts[name])).sum(1)
        return total + self._background.distance(latent) if self._background.scale else total

    def projected(self, latent: Particles) -> Particles:
        inside = replace(latent, position=latent.position.clamp(-1, 1), presence=latent.presence.clamp(0, 1))
        if latent.extent is None or self._smallest is None:
            return inside
        scale = torch.maximum(latent.extent.scale, self._smallest)
        return replace(inside, extent=replace(latent.extent, scale=scale))


class SlotPrior:
    """A prior in which all slots share one normal distribution of codes.

    Presences are not searched, and the code of an absent slot costs nothing.
    """

    def __init__(self, latent: Slots, names: Sequence[str]):
        if "codes" not in names:
            raise UserError("the pictures of this model do not depend on the codes of its slots")
        self.scale = {"codes": _spread(latent.codes.flatten(0, 1))}
        self._codes = FittedNormal.of(latent.codes[_some(latent.believed)])

    def distance(self, latent: Slots) -> Float[Tensor, "B"]:
        return (latent.presence * self._codes.distance(latent.codes)).sum(1)

    def projected(self, latent: Slots) -> Slots:
        return latent


def learn_prior(latent: Any, names: Sequence[str]) -> Prior:
    """The prior learnt from the latents of training pictures; `names` are the parts on which a picture
    depends."""
    if isinstance(latent, Particles):
        return ParticlePrior(latent, names)
    if isinstance(latent, Slots):
        return SlotPrior(latent, names)
    return VectorPrior(latent, names)


def _of_one_kind(latent: Particles) -> dict[str, Float[Tensor, "B K F"]]:
    """The parts that are alike in all particles, by name."""
    if latent.extent is None:
        return {"features": latent.features}
    return {"features": latent.features, "extent.scale": latent.extent.scale.log()}


def _some(chosen: Bool[Tensor, "B K"]) -> Bool[Tensor, "B K"]:
    """The choice itself, or a choice of everything if nothing was chosen."""
    return chosen if chosen.any() else torch.ones_like(chosen)


def _inverse_deviations(centred: Float[Tensor, "M F"], least: float) -> Float[Tensor, " F"]:
    deviation = centred.square().mean(0).sqrt()
    return 1 / deviation.clamp_min(max(FLOOR * float(deviation.max()), least))


def _whitening(centred: Float[Tensor, "M F"], least: float) -> Float[Tensor, "F F"]:
    covariance = centred.T.double() @ centred.double() / (len(centred) - 1)
    values, axes = torch.linalg.eigh(covariance)
    smallest = max(FLOOR**2 * float(values[-1]), least**2)
    return (axes * values.clamp_min(smallest).rsqrt()).to(centred)


def _spread(values: Float[Tensor, "M ..."]) -> Float[Tensor, "..."]:
    spread = (values - values.mean(0)).square().mean(0).sqrt()
    return spread.clamp_min(max(FLOOR * float(spread.max()), 1e-6))
