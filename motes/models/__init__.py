"""MODELS: name -> class, imported when asked for, so that `motes list` need not load torch."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motes.models.base import Model


class Models(Mapping[str, "type[Model]"]):
    """A read-only table whose values are imported on first use."""

    def __init__(self, places: dict[str, str]):
        self._places = places

    def __getitem__(self, name: str) -> "type[Model]":
        module, _, cls = self._places[name].partition(":")
        return getattr(import_module(f"motes.models.{module}"), cls)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def source(self, name: str) -> str:
        """The module's place below `motes/`, so that options can be read without importing it."""
        return "models/" + self._places[name].partition(":")[0]


MODELS = Models(
    {
        "dlp": "dlp:DeepLatentParticles",
        "dlp-masked": "dlp_masked:MaskedParticles",
        "keynet": "keynet:KeyNet",
        "zhang": "zhang:LandmarkAutoencoder",
        "vae": "vae:VariationalAutoencoder",
        "glo": "glo:GenerativeLatentOptimisation",
    }
)
