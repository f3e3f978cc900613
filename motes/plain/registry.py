"""Read-only tables whose values are imported when they are first used, so that listing names loads no
torch."""

import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import TypeVar

from motes.errors import UserError
from motes.plain.plugins import about_class, literal_of

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


def _rows_of(group: str) -> Iterator[tuple[str, Row]]:
    """The rows that other packages add by entry points of this group; one that is broken is named and left out.

    A row has the first line of the class's docstring, and the class's `endings` if it has any.
    """
    for entry in entry_points(group=group) if group else ():
        try:
            endings = literal_of(entry.value, "endings")
            yield entry.name, Row(entry.value, about_class(entry.value), endings=tuple(endings or ()))
        except UserError as problem:
            warnings.warn(f"{entry.name} is left out: {problem}", stacklevel=3)


class Registry(Mapping[str, Value]):
    """A read-only table of names and values for one folder in `motes`.

    A value is imported when it is first used.
    """

    def __init__(self, room: str, rows: Mapping[str, Row], plugins: str = ""):
        """`plugins` names the entry points by which other packages add rows; a name of our own stays ours."""
        self._room = room
        self._own = rows
        self._added = {name: row for name, row in _rows_of(plugins) if name not in rows}
        self._rows = {**rows, **self._added}

    def __getitem__(self, name: str) -> Value:
        module, _, value = self._rows[name].home.partition(":")
        path = module if name in self._added else f"motes.{self._room}.{module}"
        return getattr(import_module(path), value)

    # Mapping's own would import what it looks for
    def __contains__(self, name: object) -> bool:
        return name in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, name: str) -> Row:
        return self._rows[name]

    @property
    def own(self) -> Collection[str]:
        """The names that no other package added."""
        return self._own.keys()

    def source(self, name: str) -> str:
        """The place of a value, so that its source can be read without importing it: "folder/module:Name" below
        `motes/`, or "package.module:Name" of another package."""
        if name in self._added:
            return self._rows[name].home
        module, _, value = self._rows[name].home.partition(":")
        return f"{self._room}/{module.replace('.', '/')}:{value}"
