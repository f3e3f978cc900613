"""Object scores: do the particles lie on the things? Only particles that the model believes in count.

The answers to "on the thing?" go from lenient to strict: near its centre, in its visible box, in its visible
mask. Beside each stands its chance level, the same score for the particles of another picture.
"""

from motes.evaluation.boxes import EXPLAINS_BOXES, has_boxes, measure_boxes, score_boxes
from motes.evaluation.inside import EXPLAINS_INSIDE, RIVALS, measure_inside, score_inside
from motes.evaluation.intervals import Statistic, mean
from motes.evaluation.place_error import EXPLAINS_ERROR, measure_errors, score_errors
from motes.evaluation.question import EncodedBatch, Evidence, Measured, Question

EXPLAINS_COUNT = {
    "count_error": "particles too many or too few, a picture",
    "count_right": "share of the pictures with as many particles as things",
}


def _measure(encoded: EncodedBatch) -> Measured:
    measured = {**measure_inside(encoded), **measure_errors(encoded)}
    return measured | (measure_boxes(encoded) if has_boxes(encoded) else {})


def _score(evidence: Evidence) -> dict[str, Statistic]:
    test = evidence.test
    miscounted = (test["particles"] - test["objects"]).abs()
    return {
        **score_inside(test),
        "count_error": mean(miscounted.double()),
        "count_right": mean((miscounted == 0).double()),
        **score_errors(test),
        **(score_boxes(test) if "right" in test else {}),
    }


QUESTION = Question(
    ("particles", "places"),
    _measure,
    _score,
    {**EXPLAINS_INSIDE, **EXPLAINS_COUNT, **EXPLAINS_ERROR, **EXPLAINS_BOXES},
    rivals=RIVALS,
)
