"""Do the particles cut the picture into things as the truth does, in each picture and over the frames of a clip?

A pixel is predicted to be of the particle that has the largest share of it, and of no thing where the background has that.
"""

from collections.abc import Callable

from einops import rearrange, repeat
from torch import Tensor

from motes.evaluation.intervals import Statistic, mean
from motes.evaluation.question import Evidence, Measured, Question, Seen
from motes.ops.segmentation import adjusted_rand, best_overlap, covering, matched_overlap, shared_pixels

OF_TABLE: dict[str, Callable[[Tensor], Tensor]] = {
    "ari": adjusted_rand,
    "ari_fg": lambda table: adjusted_rand(table[:, 1:]),
    "mbo": best_overlap,
    "miou": matched_overlap,
    "covering": lambda table: covering(table, weighted=True),
    "covering_unweighted": lambda table: covering(table, weighted=False),
}


def look(seen: Seen) -> Measured:
    """A clip's scores stand at each of its frames; pictures without any thing have no score of things."""
    assert seen.truth is not None and seen.truth.masks is not None
    table = shared_pixels(seen.truth.masks, seen.footprints.owners(seen.there), len(seen.latent))
    found = {name: score(table) for name, score in OF_TABLE.items()}
    if seen.frames > 1:
        clip = rearrange(table, "(c t) n k -> c t n k", t=seen.frames).sum(1)
        found |= {f"{name}_over_time": repeat(score(clip), "c -> (c t)", t=seen.frames) for name, score in OF_TABLE.items()}
    return found


def judge(evidence: Evidence) -> dict[str, Statistic]:
    return {name: mean(values) for name, values in evidence.test.items()}


QUESTION = Question(("particles", "glimpses", "masks"), look, judge)
