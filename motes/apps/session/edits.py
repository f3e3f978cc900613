"""An edit as a record of plain values: what differs from the encoded picture. Checked at the door, applied
by pure functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from motes.errors import UserError
from motes.ops.points.interpolation import blend, interpolate_particles
from motes.types.latents import Particles

REACH = 2.0  # places further out than this are no places: +-1 is the picture's edge
LARGEST = 1e4  # a feature or a number of a code
ADDED = 256  # particles at most that an edit may add
NAME = 200  # letters of a picture's name

Source = tuple[str, int]  # a picture's name, "" for the edited one, and a particle of it
Look = Callable[[str], Any]  # name of a picture -> its latent


@dataclass(frozen=True)
class Touch:
    """What was done to one particle."""

    position: tuple[float, float] | None = None
    presence: float | None = None
    # dimension -> value
    features: Mapping[int, float] = field(default_factory=dict)
    # whose look it has now
    look: Source | None = None
    # a copy in all: of a particle that is added, or that takes a free one's place
    copy_of: Source | None = None


@dataclass(frozen=True)
class Edits:
    """All that was done to a picture. Nothing in it: the picture as it was encoded."""

    # numbers from K up are added ones
    particles: Mapping[int, Touch] = field(default_factory=dict)
    # front first; empty: as encoded
    order: tuple[int, ...] = ()
    # name of the picture whose background this one has
    background: str = ""
    # particles less certain than this are not there
    threshold: float = 0.0
    # of a model with one code a picture: dimension -> value
    code: Mapping[int, float] = field(default_factory=dict)
    # another picture's name, and how far on the way to it
    towards: tuple[str, float] = ("", 0.0)

    @classmethod
    def read(cls, told: Any) -> "Edits":
        """From JSON of anybody: refused with a sentence where it is not what it should be."""
        told = _mapping(told, "edits", {"particles", "order", "background", "threshold", "code", "towards"})
        touched = _mapping(told.get("particles", {}), "particles")
        order = told.get("order", [])
        if (
            not isinstance(order, list)
            or len(order) > 4096
            or any(type(k) is not int or k < 0 for k in order)
        ):
            raise UserError("order should be a list of particles' numbers")
        return cls(
            {_number(k, "a particle's number"): _touch(value) for k, value in touched.items()},
            tuple(order),
            _text(told.get("background", ""), "background"),
            _real(told.get("threshold", 0.0), "threshold", 0.0, 1.0),
            _values(told.get("code", {}), "code"),
            _read_way(told.get("towards", ["", 0.0])),
        )


def certainty_of(latent: Particles, picture: int = 0) -> torch.Tensor:
    """K numbers in [0, 1]: the model's own certainty, or where it has none, the rank of its confidence."""
    if latent.certainty is not None:
        return latent.certainty[picture]
    rank = latent.confidence[picture].argsort().argsort()
    return (rank + 1) / len(rank)


def apply(edits: Edits, latent: Any, look: Look) -> Any:
    """The latent of one picture after the edits; `look` finds the latents of other pictures that they
    name."""
    latent = (
        _apply_to_particles(edits, latent, look)
        if isinstance(latent, Particles)
        else _apply_to_code(edits, latent)
    )
    name, share = edits.towards
    return latent if not name or share == 0 else on_the_way(latent, look(name), share)


def on_the_way(latent: Any, other: Any, share: float) -> Any:
    """From one picture to another: particles to those that match them, a code along the straight line."""
    return (
        interpolate_particles(latent, other, share)
        if isinstance(latent, Particles)
        else blend(latent, other, share)
    )


def _apply_to_particles(edits: Edits, latent: Particles, look: Look) -> Particles:
    before = latent
    count = len(latent)
    find: Look = lambda name: look(name) if name else before
    unsure = (certainty_of(latent) < edits.threshold).nonzero()[:, 0].tolist()
    for k in unsure:
        latent = latent.without(k)
    for k, touch in sorted(edits.particles.items()):
        if k >= count + ADDED or k > len(latent) or (k == len(latent) and touch.copy_of is None):
            raise UserError(f"there is no particle {k}; this picture has {len(latent)}")
        latent = _touched(
            latent, k, touch, find
        )  # copies are of what was encoded, so the order of edits does not matter
    if edits.background:
        other = find(edits.background)
        if other.background.shape != latent.background.shape:
            raise UserError("the background of another model does not fit this one")
        latent = latent.with_background_of(other)
    if edits.order:
        if sorted(edits.order) != list(range(len(latent))):
            raise UserError(f"order should name each of the {len(latent)} particles once")
        latent = latent.restacked(edits.order)
    return latent


def _touched(latent: Particles, k: int, touch: Touch, find: Look) -> Particles:
    if touch.copy_of is not None:
        other, source = _source(touch.copy_of, latent, find)
        latent = (
            latent.joined(other, source) if k == len(latent) else latent.with_particle_of(other, source, k)
        )
    if touch.look is not None:
        other, source = _source(touch.look, latent, find)
        latent = latent.with_features(k, other.features[0, source])
    if touch.features:
        features = latent.features[0, k].clone()
        for dimension, value in touch.features.items():
            if dimension >= len(features):
                raise UserError(
                    f"a look of this model has {len(features)} numbers; there is no number {dimension}"
                )
            features[dimension] = value
        latent = latent.with_features(k, features)
    if touch.position is not None:
        latent = latent.placed(k, touch.position)
    return latent if touch.presence is None else latent.with_presence(k, touch.presence)


def _source(source: Source, latent: Particles, find: Look) -> tuple[Particles, int]:
    name, k = source
    other = find(name)
    if (
        not isinstance(other, Particles)
        or k >= len(other)
        or other.features.shape[-1] != latent.features.shape[-1]
    ):
        raise UserError(f"there is no particle {k} to copy" + (f" in {name}" if name else ""))
    return other, k


def code_field(latent: Any) -> str:
    """Which part of a latent that is one code a picture decides what is drawn: its first."""
    return next(iter(vars(latent)))


def _apply_to_code(edits: Edits, latent: Any) -> Any:
    name = code_field(latent)
    code = getattr(latent, name).clone()
    for dimension, value in edits.code.items():
        if dimension >= code.shape[1]:
            raise UserError(
                f"a code of this model has {code.shape[1]} numbers; there is no number {dimension}"
            )
        code[0, dimension] = value
    return replace(latent, **{name: code})


def _touch(told: Any) -> Touch:
    told = _mapping(told, "a particle's edit", {"position", "presence", "features", "look", "copy_of"})
    position = told.get("position")
    presence = told.get("presence")
    if position is not None:
        if not isinstance(position, list) or len(position) != 2:
            raise UserError("position should be [row, column]")
        position = (_real(position[0], "row", -REACH, REACH), _real(position[1], "column", -REACH, REACH))
    return Touch(
        position,
        None if presence is None else _real(presence, "presence", 0.0, 1.0),
        _values(told.get("features", {}), "features"),
        _read_source(told.get("look"), "look"),
        _read_source(told.get("copy_of"), "copy_of"),
    )


def _read_source(told: Any, what: str) -> Source | None:
    if told is None:
        return None
    if not isinstance(told, list) or len(told) != 2 or type(told[1]) is not int or told[1] < 0:
        raise UserError(f"{what} should be [picture, particle]")
    return _text(told[0], what), told[1]


def _read_way(told: Any) -> tuple[str, float]:
    if not isinstance(told, list) or len(told) != 2:
        raise UserError("towards should be [picture, share of the way]")
    return _text(told[0], "towards"), _real(told[1], "towards", 0.0, 1.0)


def _values(told: Any, what: str) -> dict[int, float]:
    return {
        _number(k, f"a dimension of {what}"): _real(value, what, -LARGEST, LARGEST)
        for k, value in _mapping(told, what).items()
    }


def _mapping(told: Any, what: str, known: set[str] | None = None) -> dict[str, Any]:
    if not isinstance(told, dict) or len(told) > 4096:
        raise UserError(f"{what} should be an object")
    if known is not None and (strange := sorted(told.keys() - known)):
        raise UserError(f"{what} knows no {strange[0][:40]!r}; it knows {', '.join(sorted(known))}")
    return told


def _number(told: str, what: str) -> int:
    if not (told.isascii() and told.isdecimal() and len(told) < 6):
        raise UserError(f"{what} should be a whole number from 0 up, not {told[:40]!r}")
    return int(told)


def _real(told: Any, what: str, low: float, high: float) -> float:
    if (
        isinstance(told, bool) or not isinstance(told, int | float) or not low <= told <= high
    ):  # NaN is in no range
        raise UserError(f"{what} should be a number from {low:g} to {high:g}")
    return float(told)


def _text(told: Any, what: str) -> str:
    if not isinstance(told, str) or len(told) > NAME:
        raise UserError(f"{what} should be a picture's name")
    return told
