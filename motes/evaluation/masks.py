"""Do the particles cut the picture into things as the truth does, in each picture and over the frames of a
clip?

A pixel is predicted to be of the particle that has the largest share of it, and of no thing where the
background has that.
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


def look(encoded: EncodedBatch) -> Measured:
    """Pictures without any thing have no score of things. Of a clip's frames the tables are kept: they add
    up to the clip's."""
    found = {name: score(encoded.overlaps) for name, score in OF_TABLE.items()}
    return (
        found
        if encoded.batch.frames == 1
        else {**found, "table": encoded.overlaps.int(), "clip": encoded.batch.index // encoded.batch.frames}
    )


def judge(evidence: Evidence) -> dict[str, Statistic]:
    test = evidence.test
    found = {name: mean(test[name]) for name in OF_TABLE}
    if "clip" not in test:
        return found
    names, clip = test["clip"].unique(return_inverse=True)
    table = torch.zeros(len(names), *test["table"].shape[1:], dtype=torch.float64).index_add_(
        0, clip, test["table"].double()
    )
    return found | {
        f"{name}_over_time": mean(score(table)[clip]) for name, score in OF_TABLE.items()
    }  # at each frame its clip's


QUESTION = Question(("segments", "masks"), look, judge)
