"""SCORES: name -> question asked of a trained model, imported when asked for; and `evaluate`, which asks them."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from motes.evaluation.intervals import Score
    from motes.evaluation.question import Question
    from motes.evaluation.scoring import Asked, evaluate

__all__ = ["SCORES", "Asked", "Score", "evaluate"]

_HOMES = {"Asked": "scoring", "Score": "intervals", "evaluate": "scoring"}


class _Questions(Mapping[str, "Question"]):
    """A read-only table: every name is that of a module here, which holds its QUESTION. Imports no torch by itself."""

    def __init__(self, *names: str):
        self._names = names

    def __getitem__(self, name: str) -> "Question":
        if name not in self._names:
            raise KeyError(name)
        return import_module(f"motes.evaluation.{name}").QUESTION

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


SCORES = _Questions("pictures", "elbo", "objects", "masks", "landmarks", "probes", "uncertainty")


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'motes.evaluation' has no attribute {name!r}")
    return getattr(import_module(f"motes.evaluation.{_HOMES[name]}"), name)
