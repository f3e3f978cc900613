"""`Rows`: the base of records whose tensors all have one row per picture."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import torch
from jaxtyping import Bool, Int
from torch import Tensor

# the same kind of record as the one a method is called on
Record = TypeVar("Record", bound="Rows")


@dataclass(frozen=True)
class Rows:
    """A frozen record of tensors that belong together, row by row.

    A field holds a tensor, None, a mapping from names to tensors, or another record with the same rows. The
    first axis of each tensor counts the rows. A field of any other type is a plain value, which stays the
    same when rows are selected.

    >>> from motes.types.latents import Code
    >>> codes = Code(torch.arange(6.0).reshape(3, 2))
    >>> len(codes), codes[1:].vector.tolist()
    (3, [[2.0, 3.0], [4.0, 5.0]])
    >>> len(Code.cat([codes, codes[:1]]))
    4
    """

    def __len__(self) -> int:
        """The number of rows."""
        return len(next(iter(self.tensors().values())))

    def __getitem__(
        self: Record, index: int | slice | Sequence[int] | Int[Tensor, "n"] | Bool[Tensor, "n"]
    ) -> Record:
        """The rows at the index, in its order; a whole number gives a record of one row."""
        rows = [index] if isinstance(index, int) else index
        return self.mapped(lambda tensor: tensor[rows])

    def to(self: Record, device: torch.device | str, non_blocking: bool = False) -> Record:
        return self.mapped(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def detach(self: Record) -> Record:
        return self.mapped(Tensor.detach)

    def tensors(self) -> dict[str, Tensor]:
        """The tensors of all fields, by name. One in a mapping or a record has the name "field.entry"."""
        tensors: dict[str, Tensor] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Tensor):
                tensors[field.name] = value
                continue
            entries = value.tensors() if isinstance(value, Rows) else value
            if isinstance(entries, Mapping):
                tensors |= {f"{field.name}.{name}": entry for name, entry in entries.items()}
        return tensors

    def mapped(self: Record, change: Callable[[Tensor], Tensor]) -> Record:
        """The same record with `change` applied to every tensor."""
        return replace(
            self, **{field.name: _mapped(getattr(self, field.name), change) for field in fields(self)}
        )

    def with_tensors(self: Record, tensors: Mapping[str, Tensor]) -> Record:
        """The same record with other tensors for these names, which are names in `tensors()`."""
        own = self.tensors()
        if unknown := tensors.keys() - own.keys():
            raise KeyError(f"a {type(self).__name__} has no {', '.join(sorted(unknown))} here")
        values = iter((own | dict(tensors)).values())
        return self.mapped(lambda _: next(values))

    @classmethod
    def cat(cls: type[Record], parts: Sequence[Record]) -> Record:
        """One record with the rows of all parts, one part after the other.

        A field that is None in one part must be None in all.
        """
        first = parts[0]
        names = [field.name for field in fields(first)]
        return replace(first, **{name: _cat([getattr(part, name) for part in parts]) for name in names})


def _mapped(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, Rows):
        return value.mapped(change)
    if isinstance(value, Mapping):
        return {name: change(entry) for name, entry in value.items()}
    return value


def _cat(values: Sequence[Any]) -> Any:
    first = values[0]
    if isinstance(first, Tensor):
        return torch.cat(list(values))
    if isinstance(first, Rows):
        return type(first).cat(values)
    if isinstance(first, Mapping):
        return {name: torch.cat([value[name] for value in values]) for name in first}
    return first
