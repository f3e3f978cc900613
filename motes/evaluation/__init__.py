"""SCORES: name -> question asked of a trained model, imported when asked for; and `evaluate`, which asks
them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from motes.plain.registry import Registry

if TYPE_CHECKING:
    from motes.evaluation.intervals import Score
    from motes.evaluation.question import Question
    from motes.evaluation.scoring import Asked, evaluate

__all__ = ["SCORES", "Asked", "Score", "evaluate"]

_HOMES = {"Asked": "scoring", "Score": "intervals", "evaluate": "scoring"}
_ASKED = ("pictures", "elbo", "objects", "masks", "landmarks", "probes", "uncertainty")

SCORES: "Registry[Question]" = Registry("evaluation", {name: f"{name}:QUESTION" for name in _ASKED})


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'motes.evaluation' has no attribute {name!r}")
    return getattr(import_module(f"motes.evaluation.{_HOMES[name]}"), name)
