"""Do the particles' boxes fit the things? A part of `objects`, where boxes or masks are known.

A particle's box is its window shrunk to where the particle is encoded: where its share of a pixel is at least
half of its largest. Where a model has no alpha it is the whole window. Boxes that overlap a surer one by
more than a fifth are dropped, as in the 2022 paper. They are ranked by the model's certainty that something
is there, or where it has none by the certainty of the place.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motes.evaluation.intervals import AT_ONCE, Statistic, ratio
from motes.evaluation.question import EncodedBatch, Measured
from motes.models.abilities import Segments
from motes.models.base import Model
from motes.ops.points.matching import boxes_around, non_maximum_suppression, overlap
from motes.ops.scores.detection import average_precision, hits

OVERLAP = 0.2  # more is the same thing twice
LEAST = tuple(0.5 + 0.05 * step for step in range(10))  # overlaps at which a box is right, as in COCO
GROUP = 2_000_000  # numbers of a curve at once


def has_boxes(encoded: EncodedBatch) -> bool:
    """Whether the truth knows boxes and the model's particles have an extent."""
    return encoded.boxes is not None and (
        isinstance(encoded.model, Segments) or _window(encoded.model) is not None
    )


def look_at_boxes(encoded: EncodedBatch) -> Measured:
    """Of each particle's box whether it is kept and right at each overlap; of each picture how many things
    there are."""
    assert encoded.truth is not None and encoded.boxes is not None
    boxes, visible = _boxes(encoded)
    confidence = encoded.latent.confidence if encoded.latent.certainty is None else encoded.latent.certainty
    candidates = (encoded.latent.presence > 0.5) & visible
    least = torch.tensor(LEAST, device=boxes.device, dtype=boxes.dtype) - 1e-6
    kept = non_maximum_suppression(boxes, confidence, candidates, OVERLAP)
    right = hits(overlap(boxes, encoded.boxes), confidence, kept, encoded.truth.present, least)
    return {
        "things": encoded.truth.present.sum(1),
        "confidence": confidence.masked_fill(~kept, -torch.inf),
        "right": right,
        "believed": (kept & encoded.believed).sum(1),
        "believed_right": (right[..., 0] & encoded.believed).sum(1),
    }


def judge_boxes(test: Measured) -> dict[str, Statistic]:
    """Precision and recall of the particles that the model believes in; average precision and recall over
    all."""
    return {
        "box_precision": ratio(test["believed_right"], test["believed"], of_nothing=0.0),
        "box_recall": ratio(test["believed_right"], test["things"]),
        "ap": _precision(test, slice(0, 10)),
        "ap50": _precision(test, slice(0, 1)),
        "ap75": _precision(test, slice(5, 6)),
        "ar": ratio(test["right"].double().mean(2).sum(1), test["things"]),
    }


def _precision(test: Measured, which: slice) -> Statistic:
    """Averaged over the overlaps; all boxes of all pictures in one row, the surest first."""
    kept = test["confidence"] > -torch.inf
    order = test["confidence"][kept].argsort(descending=True, stable=True)
    right = test["right"][kept][order][:, which]
    picture = torch.arange(len(kept))[:, None].expand_as(kept)[kept][order]
    objects = test["things"].double()

    def statistic(times: Float[Tensor, "R B"]) -> Float[Tensor, "R"]:
        step = min(max(GROUP // max(right.numel(), 1), 1), AT_ONCE)
        groups = times.double().split(step)
        return torch.cat(
            [average_precision(right, group[:, picture], group @ objects).mean(1) for group in groups]
        )

    return statistic


def _boxes(encoded: EncodedBatch) -> tuple[Float[Tensor, "B K 4"], Bool[Tensor, "B K"]]:
    if isinstance(encoded.model, Segments):
        return encoded.segments.boxes, encoded.segments.visible
    window = _window(encoded.model)
    assert window is not None
    boxes = [boxes_around(position, window, encoded.size) for position in encoded.latent.position]
    return torch.stack(boxes), torch.ones_like(encoded.latent.presence, dtype=torch.bool)


def _window(model: Model) -> int | None:
    """Side of a particle's window, where the model's particles have one."""
    return getattr(getattr(model, "config", None), "glimpse_size", None)
