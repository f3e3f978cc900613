"""Box scores: do the particles' boxes fit the things? They belong to `objects`, if boxes or masks are known.

A particle's box is its window, shrunk to the pixels where the particle's share is at least half of its
largest share. Where a model has no alpha it is the whole window. A box that overlaps a surer one by more than
a fifth is dropped, as in the 2022 paper. Boxes are ranked by certainty or, for models without it, by
confidence (certainty of the position).
"""

import torch
from jaxtyping import Float
from torch import Tensor

from motes.evaluation.intervals import DRAWN_AT_ONCE, Statistic, ratio
from motes.evaluation.question import EncodedBatch, Measured
from motes.ops.points.matching import non_maximum_suppression, overlap
from motes.ops.scores.detection import average_precision, hits

OVERLAP = 0.2  # two boxes that overlap more are of the same thing
LEAST = tuple(0.5 + 0.05 * step for step in range(10))  # overlaps at which a box is right, as in COCO
GROUP = 2_000_000  # numbers of a curve at once
EXPLAINS_BOXES = {
    "box_precision": "share of the particles whose box fits a thing's by half or more",
    "box_recall": "share of the things that have such a box",
    "ap": "average precision of boxes, over overlaps of 0.5 to 0.95",
    "ap50": "at an overlap of 0.5",
    "ap75": "at an overlap of 0.75",
    "ar": "average recall of boxes, over overlaps of 0.5 to 0.95",
}


def has_boxes(encoded: EncodedBatch) -> bool:
    """Whether the truth has boxes (or masks) and the model's particles have boxes."""
    return encoded.boxes is not None and encoded.thing_boxes is not None


def measure_boxes(encoded: EncodedBatch) -> Measured:
    """For each particle, whether its box is ranked, and whether it is right at each overlap threshold.

    The number of things in each picture is counted too.
    """
    assert encoded.truth is not None and encoded.boxes is not None and encoded.thing_boxes is not None
    latent = encoded.latent
    boxes = encoded.thing_boxes.box
    visible = encoded.thing_boxes.visible
    confidence = latent.confidence if latent.certainty is None else latent.certainty
    ranked = non_maximum_suppression(boxes, confidence, (latent.presence > 0.5) & visible, OVERLAP)
    least = torch.tensor(LEAST, device=boxes.device, dtype=boxes.dtype) - 1e-6
    right = hits(overlap(boxes, encoded.boxes), confidence, ranked, encoded.truth.present, least)
    return {
        "things": encoded.truth.present.sum(1),
        "confidence": confidence.masked_fill(~ranked, -torch.inf),
        "right": right,
        "believed": (ranked & encoded.believed).sum(1),
        "believed_right": (right[..., 0] & encoded.believed).sum(1),
    }


def score_boxes(test: Measured) -> dict[str, Statistic]:
    """Precision and recall of the particles that the model believes in, and average precision and recall of
    all particles."""
    return {
        "box_precision": ratio(test["believed_right"], test["believed"], if_empty=0.0),
        "box_recall": ratio(test["believed_right"], test["things"]),
        "ap": _precision(test, slice(0, 10)),
        "ap50": _precision(test, slice(0, 1)),
        "ap75": _precision(test, slice(5, 6)),
        "ar": ratio(test["right"].double().mean(2).sum(1), test["things"]),
    }


def _precision(test: Measured, overlaps: slice) -> Statistic:
    """The average precision, averaged over the thresholds of overlap that the slice `overlaps` selects.

    The boxes of all pictures are ranked in one list, the surest first.
    """
    ranked = test["confidence"] > -torch.inf
    order = test["confidence"][ranked].argsort(descending=True, stable=True)
    right = test["right"][ranked][order][:, overlaps]
    picture = ranked.nonzero()[:, 0][order]
    count = test["things"].double()
    group_size = min(max(GROUP // max(right.numel(), 1), 1), DRAWN_AT_ONCE)

    def statistic(times: Float[Tensor, "R B"]) -> Float[Tensor, "R"]:
        groups = times.double().split(group_size)
        curves = [average_precision(right, group[:, picture], group @ count) for group in groups]
        return torch.cat([curve.mean(1) for curve in curves])

    return statistic
