"""Read-only tables whose values are imported when they are first used, so that listing names loads no
torch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True)
class Paper:
    """The paper that first described a method."""

    link: str
    # the entry for model cards
    bibtex: str = ""


@dataclass(frozen=True)
class Row:
    """One entry of a table: where its value is defined, and a description that needs no import."""

    # MODULE:NAME in the table's folder
    home: str
    # one line for `motes list`
    about: str
    paper: Paper | None = None
    # for data sets of files: the file endings, in lower case, that belong to it
    endings: tuple[str, ...] = ()


class Registry(Mapping[str, Value]):
    """A read-only table of names and values for one folder in `motes`.

    A value is imported when it is first used.
    """

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
        """The place "folder/module:Name" below `motes/` of a value, so that its source can be read without
        importing it."""
        module, _, value = self._rows[name].home.partition(":")
        return f"{self._room}/{module.replace('.', '/')}:{value}"
