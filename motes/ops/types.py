"""The nouns of motes: what travels between data, models and apps.

Dimension letters, everywhere: B pictures, C channels, H W picture rows and columns, K particles, F features, S glimpse side,
M proposals. Positions are (row, column) in [-1, 1], row first; +1 is the lower right edge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

Image = Float[Tensor, "B C H W"]  # values in [0, 1]


@dataclass(frozen=True)
class Batch:
    """What a data set hands to a model: pictures and their rows in the data set."""

    image: Float[Tensor, "B C H W"]
    index: Int[Tensor, "B"]
    prior_image: Float[Tensor, "B C H W"] | None = None  # the other picture of a warped pair; proposals come from it
    facts: Mapping[str, Tensor] = field(default_factory=dict)  # what a model that learns with labels needs: name -> one entry a picture

    def to(self, device: torch.device | str) -> "Batch":
        prior = None if self.prior_image is None else self.prior_image.to(device, non_blocking=True)
        facts = {name: value.to(device, non_blocking=True) for name, value in self.facts.items()}
        return Batch(self.image.to(device, non_blocking=True), self.index.to(device, non_blocking=True), prior, facts)

    def __len__(self) -> int:
        return len(self.image)


@dataclass(frozen=True)
class Losses:
    """What a model wants lowered: one scalar to differentiate, and its unweighted parts, one number a picture."""

    total: Float[Tensor, ""]
    terms: Mapping[str, Float[Tensor, "B"]]


@dataclass(frozen=True)
class Code:
    """A picture as one vector."""

    vector: Float[Tensor, "B F"]
    log_variance: Float[Tensor, "B F"] | None = None  # of each number, where the model is unsure of it


@dataclass(frozen=True)
class Particles:
    """A picture as a set of K things (and a background): where, what look, how present, how sure.

    Edits return new objects and touch one particle of one picture (`picture` counts within the batch).
    """

    position: Float[Tensor, "B K 2"]  # (row, column) in [-1, 1]
    log_variance: Float[Tensor, "B K 2"]  # of the position; small = certain
    features: Float[Tensor, "B K F"]
    feature_log_variance: Float[Tensor, "B K F"]
    presence: Float[Tensor, "B K"]  # 0 = not there, 1 = there
    background: Float[Tensor, "B F"]
    bypass: Float[Tensor, "B N h w"] | None = None  # the masked model's feature map, which explains what no particle covers
    certainty: Float[Tensor, "B K"] | None = None  # in [0, 1]; below 1/2 the model doubts that something is there

    def __len__(self) -> int:
        return self.position.shape[1]

    @property
    def confidence(self) -> Float[Tensor, "B K"]:
        """Minus the summed log-variance of the position: the score by which the 2022 paper ranks particles."""
        return -self.log_variance.sum(-1)

    def moved(self, particle: int, offset: tuple[float, float], picture: int = 0) -> "Particles":
        """The same particles, one of them shifted by (rows, columns) in units of half a picture."""
        shift = self.position.new_tensor(offset)
        return self._with("position", picture, particle, (self.position[picture, particle] + shift).clamp(-1, 1))

    def without(self, particle: int, picture: int = 0) -> "Particles":
        """The same particles, one of them switched off."""
        return self._with("presence", picture, particle, torch.zeros_like(self.presence[picture, particle]))

    def with_features(self, particle: int, features: Float[Tensor, " F"], picture: int = 0) -> "Particles":
        """The same particles, one of them with another look."""
        return self._with("features", picture, particle, features)

    def placed(self, particle: int, place: tuple[float, float], picture: int = 0) -> "Particles":
        """The same particles, one of them at another (row, column)."""
        return self._with("position", picture, particle, self.position.new_tensor(place))

    def with_presence(self, particle: int, presence: float, picture: int = 0) -> "Particles":
        """The same particles, one of them more or less there."""
        return self._with("presence", picture, particle, self.presence.new_tensor(presence))

    def with_background_of(self, other: "Particles", picture: int = 0, other_picture: int = 0) -> "Particles":
        """The same particles before the background of another picture (and with its by-pass, where there is one)."""
        changed = self._with("background", picture, slice(None), other.background[other_picture])
        if self.bypass is None or other.bypass is None:
            return changed
        return changed._with("bypass", picture, slice(None), other.bypass[other_picture])

    def joined(self, other: "Particles", particle: int, other_picture: int = 0) -> "Particles":
        """One particle more, behind all others: a copy of `particle` of another picture (or of this one). For a batch of one picture."""
        of = (slice(other_picture, other_picture + 1), slice(particle, particle + 1))
        new = {name: torch.cat([value, getattr(other, name)[of]], 1) for name, value in self.per_particle().items()}
        return replace(self, **new)

    def restacked(self, order: Sequence[int]) -> "Particles":
        """The same particles in another order: the first is in front."""
        rows = torch.as_tensor(order, device=self.position.device)
        return replace(self, **{name: value[:, rows] for name, value in self.per_particle().items()})

    def with_particle_of(self, other: "Particles", source: int, target: int, picture: int = 0, other_picture: int = 0) -> "Particles":
        """The same particles, `target` replaced by particle `source` of another picture: place, look and presence."""
        changed, found = self, other.per_particle()
        for name in self.per_particle().keys() & found.keys():
            changed = changed._with(name, picture, target, found[name][other_picture, source])
        return changed

    def confident(self) -> "Particles":
        """The same particles with presence 0 where the model itself doubts that something is there."""
        if self.certainty is None:
            return self
        return replace(self, presence=torch.where(self.certainty >= 0.5, self.presence, torch.zeros_like(self.presence)))

    def there(self, least: float) -> "Particles":
        """Only as many as some picture has of presence above `least`, in the same order: what is off need not be drawn."""
        shown = self.presence > least
        count = int(shown.sum(1).max())
        rows = torch.argsort((~shown).to(torch.uint8), dim=1, stable=True)[:, :count].sort(1).values
        picture = torch.arange(len(rows), device=rows.device)[:, None]
        return replace(self, **{name: value[picture, rows] for name, value in self.per_particle().items()})

    def to(self, device: torch.device | str) -> "Particles":
        return replace(self, **{name: value.to(device) for name, value in vars(self).items() if value is not None})

    def per_particle(self) -> dict[str, Tensor]:
        """What each particle has, by name, without what is missing."""
        names = ("position", "log_variance", "features", "feature_log_variance", "presence", "certainty")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def _with(self, name: str, picture: int, particle: int | slice, value: Tensor) -> "Particles":
        changed = getattr(self, name).clone()
        changed[picture, particle] = value
        return replace(self, **{name: changed})
