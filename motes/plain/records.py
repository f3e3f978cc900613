"""From plain values (JSON, a caller's dict) to a frozen dataclass, strictly: by name, kind and length. Needs
no torch."""

import difflib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from motes.errors import UserError

Record = TypeVar("Record")


def from_plain(cls: type[Record], values: Mapping[str, Any], owner: str) -> Record:
    """`owner` is whose options they are, for the sentence that refuses one."""
    hints = get_type_hints(cls)
    known = [field.name for field in fields(cls)]  # pyright: ignore[reportArgumentType]
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            raise UserError(
                f"{owner} has no option {key!r}"
                + (f"; did you mean {near[0]}?" if near else f"; it has {', '.join(known)}")
            )
    try:
        return cls(**{key: _fit(key, value, hints[key]) for key, value in values.items()})
    except TypeError as problem:
        raise UserError(f"{owner}: {problem}") from None


def _fit(name: str, value: Any, kind: Any) -> Any:
    """The value as its field holds it: JSON knows no tuples, and writes 1.0 as it likes; anything else must
    be of the kind."""
    inner = get_args(kind)
    if get_origin(kind) is tuple and isinstance(value, list | tuple):
        kinds = inner[:1] * len(value) if inner[-1] is Ellipsis else inner
        if len(kinds) == len(value):
            return tuple(_fit(name, one, each) for one, each in zip(value, kinds, strict=True))
    elif get_origin(kind) is Literal:
        if value in inner:
            return value
        raise TypeError(f"{name} is {value!r}, it should be one of {', '.join(map(str, inner))}")
    elif kind is float and type(value) in (int, float):
        return float(value)
    elif (kind is int and type(value) is int) or (
        kind in (str, bool) and type(value) is kind
    ):  # True is no number here
        return value
    elif kind not in (float, int, str, bool) and get_origin(kind) is not tuple:
        return value  # a field of another kind checks itself
    raise TypeError(
        f"{name} is {value!r}, it should be {getattr(kind, '__name__', '') if not inner else str(kind)}"
    )
