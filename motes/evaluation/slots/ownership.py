"""Slot scores: does each slot (or particle) own one thing, and each thing one slot?

These are the ways to fail that ARI and mean overlaps hide. A slot owns the pixels of which it has the largest share;
it owns a part of a thing if it owns at least a fifth of the thing's visible pixels.
"""

import torch

from motes.evaluation.intervals import Statistic, mean, ratio
from motes.evaluation.question import EncodedBatch, Evidence, Measured, Question

PART = 0.2
EXPLAINS = {
    "slots/unused": "slots (or particles) that are believed in and own no pixel, a picture",
    "slots/split": "share of the things of which several slots own a part (a fifth at least)",
    "slots/merged": "share of the things whose slot, the one that owns most of it, is that of another thing too",
    "slots/lost": "share of the things of which no slot owns a part",
}


def _measure(encoded: EncodedBatch) -> Measured:
    """Of each picture: how many slots are unused, how many things there are, and how many fail in each way."""
    assert encoded.truth is not None and encoded.truth.masks is not None
    table = encoded.overlaps
    owned = table[:, 1:, 1:]
    area = table[:, 1:].sum(2)
    is_part = owned >= (PART * area).clamp_min(1)[..., None]
    parts = is_part.sum(2)
    held = parts > 0
    return {
        "unused": (encoded.believed & (table[:, :, 1:].sum(1) == 0)).sum(1),
        "things": (area > 0).sum(1),
        "split": (parts > 1).sum(1),
        "merged": (_shares_owner(owned) & held).sum(1),
        "lost": ((area > 0) & ~held).sum(1),
    }


def _shares_owner(owned: torch.Tensor) -> torch.Tensor:
    """Whether the slot that owns most of each thing owns most of another thing too: B N, from pixels B N K."""
    if not owned.shape[2]:
        return torch.zeros(owned.shape[:2], dtype=torch.bool, device=owned.device)
    has_owner = owned.amax(2) > 0
    owner = owned.argmax(2)
    same = (owner[:, :, None] == owner[:, None]) & has_owner[:, :, None] & has_owner[:, None]
    return same.sum(2) > 1


def _score(evidence: Evidence) -> dict[str, Statistic]:
    test = evidence.test
    shares = {f"slots/{name}": ratio(test[name], test["things"]) for name in ("split", "merged", "lost")}
    return {"slots/unused": mean(test["unused"].double()), **shares}


QUESTION = Question(("segments", "masks"), _measure, _score, EXPLAINS)
