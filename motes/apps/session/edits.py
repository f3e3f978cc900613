"""An edit as a record of plain values: what differs from the encoded picture. Checked at the door; `kinds`
applies it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from motes.errors import UserError

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

    def still(self) -> "Edits":
        """The same without the way to another picture."""
        return replace(self, towards=("", 0.0))

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
