"""Latents, what models encode pictures to: one vector (Code) or things with positions (Particles).

Slots, a picture as layers, are in `motes.types.slots`.

Dimension letters, everywhere: B pictures (N = B x T where clips are meant), C channels, H W picture rows and
columns, K particles or slots, F features, S glimpse side, M proposals. Positions are (row, column) in [-1,
1], row first; +1 is the lower right edge.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.errors import UserError
from motes.types.later import ComesLater, Later
from motes.types.rows import Rows

Image = Float[Tensor, "B C H W"]  # values in [0, 1]
COMES_LATER: Any = ComesLater()  # a default of None
# the parts of Particles that belong to no single particle
OF_PICTURES = ("background", "bypass")


@dataclass(frozen=True)
class Code(Rows):
    """A picture as one vector.

    >>> code = Code(torch.zeros(2, 3))
    >>> code.with_code(code.code + 1).vector.tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """

    vector: Float[Tensor, "B F"]
    # log-variance of each number, where the model gives one
    log_variance: Float[Tensor, "B F"] | None = None

    @property
    def code(self) -> Float[Tensor, "B F"]:
        """The numbers that edits may change one by one."""
        return self.vector

    def with_code(self, code: Float[Tensor, "B F"]) -> "Code":
        """The same latents with other codes."""
        return replace(self, vector=code)


@dataclass(frozen=True)
class Extent(Rows):
    """The sizes and depths of particles, from models that give each its own."""

    # pixels of the picture per pixel of the glimpse, along rows and along columns
    scale: Float[Tensor, "B K 2"]
    # of the logarithm of the scale
    log_variance: Float[Tensor, "B K 2"]
    # less = nearer; the models hand out the nearest particle first
    depth: Float[Tensor, "B K"]
    depth_log_variance: Float[Tensor, "B K"]


@dataclass(frozen=True)
class Particles(Rows):
    """A picture as a set of K particles and a background.

    Each particle has a position, a log-variance, appearance features, a presence and (from some models) a
    certainty. Edits return new objects and change one particle of one picture; `picture` is its number in the
    batch.

    >>> particles = Particles(position=torch.zeros(1, 2, 2), log_variance=torch.zeros(1, 2, 2),
    ...     features=torch.zeros(1, 2, 3), feature_log_variance=torch.zeros(1, 2, 3),
    ...     presence=torch.ones(1, 2), background=torch.zeros(1, 3))
    >>> particles.moved(1, (0.25, -0.5)).position.tolist()
    [[[0.0, 0.0], [0.25, -0.5]]]
    >>> particles.without(0).believed.tolist()
    [[False, True]]
    >>> particles.joined(particles, 0).count
    3
    """

    # (row, column) in [-1, 1]
    position: Float[Tensor, "B K 2"]
    # of the position; small = certain
    log_variance: Float[Tensor, "B K 2"]
    features: Float[Tensor, "B K F"]
    feature_log_variance: Float[Tensor, "B K F"]
    # from 0, absent, to 1, present
    presence: Float[Tensor, "B K"]
    background: Float[Tensor, "B G"]
    # the masked model's feature map, which explains what no particle covers
    bypass: Float[Tensor, "B N h w"] | None = None
    # in [0, 1]; below 1/2 the model doubts that something is there; computed when it is first read
    certainty: Float[Tensor, "B K"] | None = COMES_LATER
    # sizes and depths, from models that give each particle its own
    extent: Extent | None = None

    def __len__(self) -> int:
        return len(self.position)

    @property
    def count(self) -> int:
        """K, the number of particles of each picture."""
        return self.position.shape[1]

    @property
    def believed(self) -> Bool[Tensor, "B K"]:
        """Whether the model believes in each particle: its certainty is at least 1/2 and its presence above
        1/2."""
        return self.confident().presence > 0.5

    @property
    def confidence(self) -> Float[Tensor, "B K"]:
        """Minus the log-variance of the position, summed over both axes; the 2022 paper ranks particles by
        it."""
        return -self.log_variance.sum(-1)

    def moved(self, particle: int, offset: tuple[float, float], picture: int = 0) -> "Particles":
        """The same particles, with one shifted by (rows, columns) in units of half a picture."""
        shift = self.position.new_tensor(offset)
        return self._with(
            "position", picture, particle, (self.position[picture, particle] + shift).clamp(-1, 1)
        )

    def without(self, particle: int, picture: int = 0) -> "Particles":
        """The same particles, with the presence of one set to 0."""
        return self._with("presence", picture, particle, torch.zeros_like(self.presence[picture, particle]))

    def with_features(self, particle: int, features: Float[Tensor, " F"], picture: int = 0) -> "Particles":
        """The same particles, with other appearance features for one of them."""
        return self._with("features", picture, particle, features)

    def placed(self, particle: int, place: tuple[float, float], picture: int = 0) -> "Particles":
        """The same particles, with one at another position (row, column)."""
        return self._with("position", picture, particle, self.position.new_tensor(place))

    def resized(self, particle: int, factor: float | tuple[float, float], picture: int = 0) -> "Particles":
        """The same particles, with one that is larger by a factor, or by one along rows and one along columns.

        What is drawn stays centred where it is.
        """
        scale = self._sizes.scale[picture, particle]
        return self._with("extent.scale", picture, particle, scale * scale.new_tensor(factor))

    def with_scale(self, particle: int, scale: tuple[float, float], picture: int = 0) -> "Particles":
        """The same particles, with another scale (along rows, along columns) for one of them."""
        return self._with("extent.scale", picture, particle, self._sizes.scale.new_tensor(scale))

    def with_presence(self, particle: int, presence: float, picture: int = 0) -> "Particles":
        """The same particles, with another presence for one of them."""
        return self._with("presence", picture, particle, self.presence.new_tensor(presence))

    def with_background_of(self, other: "Particles", picture: int = 0, other_picture: int = 0) -> "Particles":
        """The same particles, with the background of another picture (and with its bypass, if the model has
        one)."""
        changed = self._with("background", picture, slice(None), other.background[other_picture])
        if self.bypass is None or other.bypass is None:
            return changed
        return changed._with("bypass", picture, slice(None), other.bypass[other_picture])

    def joined(self, other: "Particles", particle: int, other_picture: int = 0) -> "Particles":
        """The particles and one more, behind all others, for a batch of one picture.

        The new one is a copy of `particle` of the picture `other_picture` of `other`.
        """
        of = (slice(other_picture, other_picture + 1), slice(particle, particle + 1))
        new = other.per_particle()
        return self.with_tensors(
            {name: torch.cat([value, new[name][of]], 1) for name, value in self.per_particle().items()}
        )

    def restacked(self, order: Sequence[int]) -> "Particles":
        """The same particles in another order, given by their numbers; the first is in front."""
        rows = torch.as_tensor(order, device=self.position.device)
        return self.with_tensors({name: value[:, rows] for name, value in self.per_particle().items()})

    def reordered(self, order: Int[Tensor, "B M"]) -> "Particles":
        """The same particles, or some of them, in an order of each picture's own; the first is in front."""
        picture = torch.arange(order.shape[0], device=order.device)[:, None]
        return self.with_tensors({name: value[picture, order] for name, value in self.per_particle().items()})

    def with_particle_of(
        self, other: "Particles", source: int, target: int, picture: int = 0, other_picture: int = 0
    ) -> "Particles":
        """The same particles, with all parts of `target` replaced by those of `source`, a particle of another
        picture."""
        changed = self
        found = other.per_particle()
        for name in self.per_particle().keys() & found.keys():
            changed = changed._with(name, picture, target, found[name][other_picture, source])
        return changed

    def judged(self, certainty: Callable[[], Float[Tensor, "B K"]]) -> "Particles":
        """The same particles, with a certainty that is computed when it is first read.

        A model draws its particles to judge them, which takes longer than to find them.
        """
        judged = replace(self, certainty=None)
        vars(judged)["certainty"] = Later(certainty)
        return judged

    def confident(self) -> "Particles":
        """The same particles, with presence 0 for those whose certainty is too low."""
        if self.certainty is None:
            return self
        return replace(
            self, presence=torch.where(self.certainty >= 0.5, self.presence, torch.zeros_like(self.presence))
        )

    def there(self, least: float) -> "Particles":
        """The particles without those that are absent (presence at most `least`), in the same order.

        So few need to be drawn. All pictures keep the same number: as many as the picture with the most
        present particles.
        """
        shown = self.presence > least
        count = int(shown.sum(1).max())
        rows = torch.argsort((~shown).to(torch.uint8), dim=1, stable=True)[:, :count].sort(1).values
        return self.reordered(rows)

    def per_particle(self) -> dict[str, Tensor]:
        """The tensors of the particles (B K ...), by name, such as "extent.scale"; what is None is left out."""
        return {name: value for name, value in self.tensors().items() if name not in OF_PICTURES}

    @property
    def _sizes(self) -> Extent:
        if self.extent is None:
            raise UserError(
                "all particles of this model are of one size; those of --model.architecture sized have their own"
            )
        return self.extent

    def _with(self, name: str, picture: int, particle: int | slice, value: Tensor) -> "Particles":
        changed = self.tensors()[name].clone()
        changed[picture, particle] = value
        return self.with_tensors({name: changed})
