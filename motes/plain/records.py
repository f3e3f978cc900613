"""Makes frozen dataclasses from plain values (JSON, a dict), with strict checks of names, kinds and lengths.

Needs no torch.
"""

import difflib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar, get_type_hints

from motes.errors import UserError
from motes.plain.kinds import Unfit, fit

Record = TypeVar("Record")


def from_plain(cls: type[Record], values: Mapping[str, Any], owner: str) -> Record:
    """The dataclass `cls` with these values for its fields; unknown names and unfit values are refused.

    `owner` says in the error whose options they are.
    """
    kinds = get_type_hints(cls)
    names = [field.name for field in fields(cls)]  # pyright: ignore[reportArgumentType]
    for name in values:
        if name not in names:
            raise UserError(_unknown(name, names, owner))
    fitted = {name: _fitted(name, value, kinds[name], owner) for name, value in values.items()}
    try:
        return cls(**fitted)
    except TypeError as problem:
        raise UserError(f"{owner}: {problem}") from None


def _fitted(name: str, value: Any, kind: Any, owner: str) -> Any:
    try:
        return fit(value, kind)
    except Unfit as problem:
        raise UserError(f"{owner}: {name} is {problem.value!r}, it should be {problem.wanted}") from None


def _unknown(name: str, names: list[str], owner: str) -> str:
    near = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(names)}"
    return f"{owner} has no option {name!r}; {hint}"
