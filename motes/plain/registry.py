"""Read-only tables of names whose values are imported on first use, so that asking what there is loads no
torch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True)
class Paper:
    """Where something was described first."""

    link: str
    # for model cards
    bibtex: str = ""


@dataclass(frozen=True)
class Row:
    """One entry of a table: where its value is, and what can be said without importing it."""

    # MODULE:NAME in the table's room
    home: str
    # one line for `motes list`
    about: str
    paper: Paper | None = None
    # of files, in small letters, that are read so
    endings: tuple[str, ...] = ()


class Registry(Mapping[str, Value]):
    """A table of names and where their values are, for one room (a folder in `motes`)."""

    def __init__(self, room: str, rows: Mapping[str, Row]):
        self._room = room
        self._rows = rows

    def __getitem__(self, name: str) -> Value:
        module, _, value = self._rows[name].home.partition(":")
        return getattr(import_module(f"motes.{self._room}.{module}"), value)

    # Mapping's own would import what it looks for
    def __contains__(self, name: object) -> bool:
        return name in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, name: str) -> Row:
        return self._rows[name]

    def source(self, name: str) -> str:
        """folder/module:Name below `motes/`, so that its source can be read without importing it."""
        module, _, value = self._rows[name].home.partition(":")
        return f"{self._room}/{module.replace('.', '/')}:{value}"
