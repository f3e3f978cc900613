"""Mask scores: does the model divide pictures, and clips, into things as the ground truth does?

A pixel is predicted to belong to the particle or slot with the largest share of it, or to no thing if the
background's share is largest. Any model that gives shares can be scored.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from motes.evaluation.intervals import Statistic, mean
from motes.evaluation.question import EncodedBatch, Evidence, Measured, Question
from motes.ops.scores.segmentation import adjusted_rand, best_overlap, covering, matched_overlap

OF_TABLE: dict[str, Callable[[Tensor], Tensor]] = {
    "ari": adjusted_rand,
    "ari_fg": lambda table: adjusted_rand(table[:, 1:]),
    "mbo": best_overlap,
    "miou": matched_overlap,
    "covering": lambda table: covering(table, weighted=True),
    "covering_unweighted": lambda table: covering(table, weighted=False),
}
EXPLAINS = {
    "ari": "agreement of the masks on which pixels belong together, background included (adjusted Rand)",
    "ari_fg": "the same over the pixels of things alone",
    "mbo": "overlap of each thing's mask with the best predicted mask",
    "miou": "overlap of each thing's mask with the predicted mask matched to it",
    "covering": "best overlap of every region, large ones counting more",
    "covering_unweighted": "best overlap of every region, all counting the same",
}


def _measure(encoded: EncodedBatch) -> Measured:
    """The scores of each picture; NaN for scores of things where the picture has no thing.

    For clips, the tables of shared pixels are kept too, because the table of a clip is the sum over its
    frames.
    """
    scores = {name: score(encoded.overlaps) for name, score in OF_TABLE.items()}
    if encoded.batch.frames == 1:
        return scores
    clip = encoded.batch.index // encoded.batch.frames
    return {**scores, "table": encoded.overlaps.int(), "clip": clip}


def _score(evidence: Evidence) -> dict[str, Statistic]:
    test = evidence.test
    scores = {name: mean(test[name]) for name in OF_TABLE}
    return scores | (_over_time(test) if "clip" in test else {})


def _over_time(test: Measured) -> dict[str, Statistic]:
    """The scores of whole clips; every frame has the score of its clip."""
    names, clip = test["clip"].unique(return_inverse=True)
    tables = torch.zeros(len(names), *test["table"].shape[1:], dtype=torch.float64)
    tables.index_add_(0, clip, test["table"].double())
    return {f"{name}_over_time": mean(score(tables)[clip]) for name, score in OF_TABLE.items()}


OVER_TIME = {f"{name}_over_time": f"{words}; over all frames of a clip" for name, words in EXPLAINS.items()}

QUESTION = Question(("segments", "masks"), _measure, _score, EXPLAINS | OVER_TIME)
