"""Read-only tables of names whose values are imported on first use, so that asking what there is loads no
torch."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TypeVar

Value = TypeVar("Value")


class Registry(Mapping[str, Value]):
    """Of a room, a folder in `motes`: each place is MODULE:NAME there."""

    def __init__(self, room: str, places: Mapping[str, str]):
        self._room = room
        self._places = places

    def __getitem__(self, name: str) -> Value:
        module, _, value = self._places[name].partition(":")
        return getattr(import_module(f"motes.{self._room}.{module}"), value)

    def __contains__(self, name: object) -> bool:  # Mapping's own would import what it looks for
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def source(self, name: str) -> str:
        """folder/module:Name below `motes/`, so that its source can be read without importing it."""
        module, _, value = self._places[name].partition(":")
        return f"{self._room}/{module.replace('.', '/')}:{value}"
