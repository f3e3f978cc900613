"""`Edits`: a record of plain values that says how an edited picture differs from the encoded one.

Edits that come as JSON are checked here, number by number; `kinds` applies the record to latents.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from motes.errors import UserError

# the furthest position; the picture's edges are at -1 and 1
REACH = 2.0
# the smallest and the largest scale: pixels of the picture per pixel of a glimpse
SCALES = (0.01, 100.0)
# the largest feature, or number of a code
LARGEST = 1e4
# particles that an edit may add, at most
ADDED = 256
# particles or dimensions that an edit may name, at most
ENTRIES = 4096
# letters of a picture's name, at most; of a file, its path below its folder
NAME = 2048

# a picture's name ("" for the edited picture) and a particle of it
Source = tuple[str, int]
# from a picture's name to its latent
Look = Callable[[str], Any]


@dataclass(frozen=True)
class Touch:
    """The edits of one particle or one slot."""

    position: tuple[float, float] | None = None
    presence: float | None = None
    # dimension -> value
    features: Mapping[int, float] = field(default_factory=dict)
    # the particle whose features this one takes
    look: Source | None = None
    # the particle of which this one is a copy; this one is either added or replaces an existing one
    copy_of: Source | None = None
    # along rows and along columns; of models whose particles differ in size
    scale: tuple[float, float] | None = None


@dataclass(frozen=True)
class Edits:
    """All edits of a picture; `Edits()` changes nothing.

    >>> edits = Edits.read({"particles": {"3": {"position": [0.5, 0.0]}}})
    >>> edits.particles[3].position
    (0.5, 0.0)
    """

    # number of the particle -> its edits; numbers from K up are added particles
    particles: Mapping[int, Touch] = field(default_factory=dict)
    # all particles' numbers, the one in front first; empty: as encoded
    order: tuple[int, ...] = ()
    # name of the picture whose background this one takes
    background: str = ""
    # particles less certain than this are left out
    threshold: float = 0.0
    # for latents with one code per picture: dimension -> value
    code: Mapping[int, float] = field(default_factory=dict)
    # the name of another picture, and the share of the way to its latent, from 0 to 1
    towards: tuple[str, float] = ("", 0.0)

    def without_target(self) -> "Edits":
        """The same edits without the blend towards another picture."""
        return replace(self, towards=("", 0.0))

    @property
    def pictures(self) -> set[str]:
        """The names of the other pictures from which something is taken."""
        sources = [source for touch in self.particles.values() for source in (touch.look, touch.copy_of)]
        return {self.background, self.towards[0], *(source[0] for source in sources if source)} - {""}

    @classmethod
    def read(cls, value: Any) -> "Edits":
        """The edits that a JSON value from an untrusted sender describes.

        What does not fit is refused with an error of one sentence.
        """
        record = _record(value, "edits", {"particles", "order", "background", "threshold", "code", "towards"})
        touches = _record(record.get("particles", {}), "particles")
        return cls(
            {_number(name, "a particle's number"): _touch(touch) for name, touch in touches.items()},
            _order(record.get("order", [])),
            _text(record.get("background", ""), "background"),
            _real(record.get("threshold", 0.0), "threshold", 0.0, 1.0),
            _values(record.get("code", {}), "code"),
            _target(record.get("towards", ["", 0.0])),
        )


def _touch(value: Any) -> Touch:
    known = {"position", "presence", "features", "look", "copy_of", "scale"}
    record = _record(value, "a particle's edit", known)
    presence = record.get("presence")
    return Touch(
        _pair(record.get("position"), "position", (-REACH, REACH)),
        None if presence is None else _real(presence, "presence", 0.0, 1.0),
        _values(record.get("features", {}), "features"),
        _source(record.get("look"), "look"),
        _source(record.get("copy_of"), "copy_of"),
        _pair(record.get("scale"), "scale", SCALES),
    )


def _pair(value: Any, field_name: str, within: tuple[float, float]) -> tuple[float, float] | None:
    """One number for rows and one for columns, both `within` a range."""
    if value is None:
        return None
    if not _is_pair(value):
        raise UserError(f"{field_name} should be [rows, columns]")
    return _real(value[0], f"{field_name} (rows)", *within), _real(
        value[1], f"{field_name} (columns)", *within
    )


def _order(value: Any) -> tuple[int, ...]:
    is_list = isinstance(value, list) and len(value) <= ENTRIES
    if not is_list or any(type(number) is not int or number < 0 for number in value):
        raise UserError("order should be a list of particles' numbers")
    return tuple(value)


def _source(value: Any, field_name: str) -> Source | None:
    if value is None:
        return None
    if not _is_pair(value) or type(value[1]) is not int or value[1] < 0:
        raise UserError(f"{field_name} should be [picture, particle]")
    return _text(value[0], field_name), value[1]


def _target(value: Any) -> tuple[str, float]:
    if not _is_pair(value):
        raise UserError("towards should be [picture, share of the way]")
    return _text(value[0], "towards"), _real(value[1], "towards", 0.0, 1.0)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2


def _values(value: Any, field_name: str) -> dict[int, float]:
    return {
        _number(name, f"a dimension of {field_name}"): _real(number, field_name, -LARGEST, LARGEST)
        for name, number in _record(value, field_name).items()
    }


def _record(value: Any, field_name: str, names: set[str] | None = None) -> dict[str, Any]:
    """`value` if it is a JSON object, and has no keys but `names` where these are given; else an error."""
    if not isinstance(value, dict) or len(value) > ENTRIES:
        raise UserError(f"{field_name} should be an object")
    if names is not None:
        _refuse_others(value, field_name, names)
    return value


def _refuse_others(record: dict[str, Any], field_name: str, names: set[str]) -> None:
    if unknown := sorted(record.keys() - names):
        raise UserError(f"{field_name} knows no {unknown[0][:40]!r}; it knows {', '.join(sorted(names))}")


def _number(name: str, meaning: str) -> int:
    """The whole number that `name`, a key of a JSON object, spells (JSON keys are text)."""
    if not (name.isascii() and name.isdecimal() and len(name) < 6):
        raise UserError(f"{meaning} should be a whole number from 0 up, not {name[:40]!r}")
    return int(name)


def _real(value: Any, field_name: str, low: float, high: float) -> float:
    # NaN is in no range
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise UserError(f"{field_name} should be a number from {low:g} to {high:g}")
    return float(value)


def _text(value: Any, field_name: str) -> str:
    if not isinstance(value, str) or len(value) > NAME:
        raise UserError(f"{field_name} should be a picture's name")
    return value
