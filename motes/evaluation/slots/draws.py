"""Draw scores: do readings of a picture from different random starts agree, and is each of them a valid one?

The pictures of `tetrominoes` that are ambiguous list all ways to cut them. A reading is one of these if every block of
the union belongs to a slot, and blocks belong together just as they do there; a block belongs to the owner of most of
its pixels. The background's pixels do not count.
"""

from dataclasses import replace

import torch
from einops import rearrange
from jaxtyping import Float, Int, Integer
from torch import Tensor

from motes.evaluation.intervals import Statistic, mean
from motes.evaluation.question import EncodedBatch, Evidence, Measured, Question
from motes.models.abilities import Redraws
from motes.ops.scores.partitions import agreement_of, distinct, tiling_of
from motes.ops.scores.segmentation import adjusted_rand

DRAWS = 8
# of pictures that can be read in several ways
DRAWS_OF_AMBIGUOUS = 16
EXPLAINS = {
    "draws/agreement": "agreement of two readings with each other on the things' pixels (adjusted Rand), mean over pairs",
    "draws/ari_fg": "agreement of a reading with the truth on the things' pixels, mean over draws",
    "draws/ari_fg_spread": "standard deviation of this agreement over the draws of one picture",
    "draws/ari_fg_best_bound": "the same agreement of the draw with the best bound of each picture",
    "draws/valid": "share of the draws that are one of the ways to cut an ambiguous picture",
    "draws/tilings": "how many different ways to cut an ambiguous picture the draws find",
    "draws/several": "share of the ambiguous pictures for which the draws find at least two ways",
}


def _measure(encoded: EncodedBatch) -> Measured:
    truth = encoded.truth
    assert truth is not None and truth.masks is not None
    tilings = truth.scene.get("tilings")
    readings = _readings(encoded, DRAWS if tilings is None else DRAWS_OF_AMBIGUOUS)
    owners = torch.stack([reading.owners for reading in readings], 1)
    ari = torch.stack([adjusted_rand(reading.overlaps[:, 1:]) for reading in readings], 1)
    measured = {
        "draws/agreement": agreement_of(owners, truth.masks.any(1)),
        "draws/ari_fg": ari.mean(1),
        "draws/ari_fg_spread": ari.std(1),
    }
    bounds = [getattr(reading.latent, "bound", None) for reading in readings]
    if all(bound is not None for bound in bounds):
        best = torch.stack([bound for bound in bounds if bound is not None], 1).argmax(1)
        measured["draws/ari_fg_best_bound"] = ari.gather(1, best[:, None])[:, 0]
    return measured | ({} if tilings is None else _ways(owners, tilings))


def _readings(encoded: EncodedBatch, count: int) -> list[EncodedBatch]:
    model = encoded.model
    assert isinstance(model, Redraws)
    return [replace(encoded, latent=model.redraw(encoded.batch.image, draw=draw)) for draw in range(count)]


def _ways(owners: Int[Tensor, "B R H W"], tilings: Integer[Tensor, "B M h w"]) -> Measured:
    """Which draws are valid, and how many different ways they find."""
    rows, columns = tilings.shape[2:]
    pixels = rearrange(owners, "b r (h y) (w x) -> b r h w (y x)", h=rows, w=columns)
    tiling = tiling_of(pixels.mode(-1).values, tilings)
    ways = distinct(tiling, tilings.shape[1])
    return {
        "draws/valid": _share(tiling >= 0),
        "draws/tilings": ways.double(),
        "draws/several": (ways > 1).double(),
    }


def _share(values: Tensor) -> Float[Tensor, "B"]:
    return values.double().mean(1)


def _score(evidence: Evidence) -> dict[str, Statistic]:
    return {name: mean(value) for name, value in evidence.test.items()}


QUESTION = Question(("redraws", "segments", "masks"), _measure, _score, EXPLAINS)
