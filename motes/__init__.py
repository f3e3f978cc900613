"""Latent particles: pictures, without labels, as small sets of things that have a place, a look and an
uncertainty."""

from typing import TYPE_CHECKING, Any

from motes.version import VERSION as __version__

if TYPE_CHECKING:
    from motes.apps.studio.live import studio
    from motes.data import DATASETS
    from motes.models import MODELS
    from motes.models.checkpoint import load
    from motes.models.hub import load_pretrained
    from motes.types.latents import Particles

__all__ = ["DATASETS", "MODELS", "Particles", "__version__", "load", "load_pretrained", "studio"]

_HOMES = {
    "load": "motes.models.checkpoint",
    "load_pretrained": "motes.models.hub",
    "Particles": "motes.types.latents",
    "MODELS": "motes.models",
    "DATASETS": "motes.data",
    "studio": "motes.apps.studio.live",
}


def __getattr__(name: str) -> Any:
    """Public names are imported when first used, so that `import motes` is quick and does not load torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'motes' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
