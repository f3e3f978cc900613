"""Latent particles: models that learn, without labels, to describe a picture as a small set of things.

Each thing has a position, an appearance and an uncertainty.
"""

from typing import TYPE_CHECKING, Any

from motes.version import VERSION as __version__

if TYPE_CHECKING:
    from motes.apps.session.session import Session
    from motes.apps.studio.live import studio
    from motes.data import DATASETS
    from motes.evaluation.scoring import evaluate
    from motes.models import MODELS
    from motes.models.checkpoint import load
    from motes.training.loop import train
    from motes.types.batch import Batch
    from motes.types.latents import Particles
    from motes.types.slots import Slots

__all__ = [
    "DATASETS",
    "MODELS",
    "Batch",
    "Particles",
    "Session",
    "Slots",
    "__version__",
    "evaluate",
    "load",
    "studio",
    "train",
]

# public name -> the module that defines it
_HOMES = {
    "load": "motes.models.checkpoint",
    "MODELS": "motes.models",
    "DATASETS": "motes.data",
    "Batch": "motes.types.batch",
    "Particles": "motes.types.latents",
    "Slots": "motes.types.slots",
    "train": "motes.training.loop",
    "evaluate": "motes.evaluation.scoring",
    "Session": "motes.apps.session.session",
    "studio": "motes.apps.studio.live",
}


def __getattr__(name: str) -> Any:
    """Public names are imported when first used, so that `import motes` is quick and does not load torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'motes' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
