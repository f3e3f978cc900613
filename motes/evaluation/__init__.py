"""Evaluation: `evaluate`, which scores a trained model, and SCORES, the table of questions that it asks.

A question is imported when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from motes.plain.registry import Registry, Row

if TYPE_CHECKING:
    from motes.evaluation.intervals import Score
    from motes.evaluation.question import Question
    from motes.evaluation.scoring import Asked, evaluate

__all__ = ["SCORES", "Asked", "Score", "evaluate"]

_HOMES = {"Asked": "scoring", "Score": "intervals", "evaluate": "scoring"}

SCORES: "Registry[Question]" = Registry(
    "evaluation",
    {
        "pictures": Row("pictures:QUESTION", "how like the picture is its reconstruction? PSNR, SSIM, LPIPS"),
        "elbo": Row("elbo:QUESTION", "the model's own loss on held-out pictures, and its terms"),
        "objects": Row("objects:QUESTION", "do the particles lie where the objects are?"),
        "masks": Row("masks:QUESTION", "do the particles or slots segment the picture as the truth does?"),
        "slots": Row(
            "slots.ownership:QUESTION", "does each slot (or particle) own one thing, and each thing one slot?"
        ),
        "updates": Row(
            "slots.updates:QUESTION",
            "what does each update of the reading buy, up to twice the usual number?",
        ),
        "draws": Row(
            "slots.draws:QUESTION", "do readings from different random starts agree? are they all valid?"
        ),
        "tracks": Row("clips.tracks:QUESTION", "is each thing followed through its clip? MOTA, IDF1, HOTA"),
        "prediction": Row(
            "clips.prediction:QUESTION", "does each thing go where it was predicted to go, and look so?"
        ),
        "landmarks": Row("landmarks:QUESTION", "how well do the particles tell where the landmarks are?"),
        "probes": Row(
            "probes:QUESTION", "which factors of the objects can be read out of the particles or slots?"
        ),
        "uncertainty": Row(
            "uncertainty:QUESTION", "is a particle that is unsure of its position farther from the object?"
        ),
    },
)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'motes.evaluation' has no attribute {name!r}")
    return getattr(import_module(f"motes.evaluation.{_HOMES[name]}"), name)
