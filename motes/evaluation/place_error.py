"""Place errors: how far is a thing's particle from the thing's centre, and in which way? They belong to
`objects`.

Things and particles are matched one to one, so that the total distance in pixels is smallest. Only particles
that the model believes in are matched.

An error may be a habit of the model: the same for all things (its constant part), or one that follows
linearly from what the particle says of itself, its features and its position (R2). Such an error is not
noise. It says that the particle's place is not the middle of the thing.
"""

from collections.abc import Callable

import torch
from einops import repeat
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.evaluation.intervals import Statistic, ratio
from motes.evaluation.question import EncodedBatch, Measured
from motes.ops.points.assignment import assign
from motes.ops.scores.regression import ridges

PCK = (0.02, 0.05, 0.1)  # distances in picture sides within which a thing counts as correctly placed
PENALTY = 1e-3  # of the regression from particles to errors
EXPLAINS_ERROR = {
    "relative_error": "position error divided by the thing's size (square root of its visible box's area)",
    "position_error_px": "from a thing's centre to the particle matched to it, in pixels",
    "position_error": "the same in picture sides",
    "place_error_constant_px": "length of the mean error, the part that is the same for all things, in pixels",
    "place_error_without_constant_px": "position error that is left once the constant part is subtracted",
    "place_error_r2": "share of the rest that is linear in the particle's features and position (R2)",
    "pck@0.02": "share of the things whose matched particle is within 2 % of the picture",
    "pck@0.05": "within 5 %",
    "pck@0.1": "within 10 %",
}


def measure_errors(encoded: EncodedBatch) -> Measured:
    """For each picture, sums over its matched things; and for each particle, the error where it is
    matched."""
    assert encoded.truth is not None
    offsets = encoded.offsets
    distance = encoded.distances
    match = assign(distance, encoded.truth.present[:, :, None] & encoded.believed[:, None])
    matched = match >= 0
    error = _of_match(offsets, match)
    length = error.norm(dim=2)
    sides = length / (max(encoded.size) - 1 or 1)
    within = {f"within_{limit}": ((sides <= limit) & matched).sum(1) for limit in PCK}
    return {
        "matched": matched.sum(1),
        "error": (length * matched).sum(1),
        "error_sides": (sides * matched).sum(1),
        **within,
        **_measure_relative(encoded, length, matched),
        **_measure_habit(encoded, error, match),
    }


def score_errors(test: Measured) -> dict[str, Statistic]:
    relative = {}
    if "relative" in test:
        relative["relative_error"] = ratio(test["relative"], test["sized"])
    return {
        **relative,
        "position_error_px": ratio(test["error"], test["matched"]),
        "position_error": ratio(test["error_sides"], test["matched"]),
        **_score_habit(test),
        **{f"pck@{limit:g}": ratio(test[f"within_{limit}"], test["objects"]) for limit in PCK},
    }


def _of_match(offsets: Float[Tensor, "B N K 2"], match: Int[Tensor, "B N"]) -> Float[Tensor, "B N 2"]:
    """The offset to the particle matched to each thing; zeros where there is none."""
    if not offsets.shape[2]:
        return offsets.new_zeros(*offsets.shape[:2], 2)
    row = repeat(match.clamp_min(0), "b n -> b n 1 two", two=2)
    return offsets.gather(2, row)[:, :, 0].masked_fill((match < 0)[..., None], 0)


def _measure_relative(
    encoded: EncodedBatch, length: Float[Tensor, "B N"], matched: Bool[Tensor, "B N"]
) -> Measured:
    if encoded.boxes is None:
        return {}
    side = (encoded.boxes[..., 2:] - encoded.boxes[..., :2]).clamp_min(0).prod(-1).sqrt()
    sized = matched & (side > 0)
    relative = length / torch.where(sized, side, 1)
    return {"relative": (relative * sized).sum(1), "sized": sized.sum(1)}


def _measure_habit(
    encoded: EncodedBatch, error: Float[Tensor, "B N 2"], match: Int[Tensor, "B N"]
) -> Measured:
    """For each particle, whether a thing is matched to it, its error in pixels, and what it says of
    itself.

    By particle and not by thing, because all pictures have as many particles.
    """
    latent = encoded.latent
    count = latent.count
    # things without a particle go to a column that is cut off
    row = torch.where(match < 0, count, match)
    spread = error.new_zeros(len(error), count + 1, 2)
    spread.scatter_(1, repeat(row, "b n -> b n two", two=2), error)
    taken = torch.zeros(len(row), count + 1, dtype=torch.bool, device=row.device)
    taken.scatter_(1, row, torch.ones_like(row, dtype=torch.bool))
    return {
        "taken": taken[:, :count],
        "offset": spread[:, :count],
        "said": torch.cat([latent.features, latent.position], -1),
        "unit": encoded.unit,
    }


def _score_habit(test: Measured) -> dict[str, Statistic]:
    taken = test["taken"]
    picture = taken.nonzero()[:, 0]
    offset = test["offset"][taken].double()
    residual = offset - (offset.mean(0) if len(offset) else 0)
    count = taken.sum(1)

    def summed(values: Float[Tensor, "n ..."]) -> Float[Tensor, "B ..."]:
        return values.new_zeros(len(taken), *values.shape[1:]).index_add_(0, picture, values)

    return {
        "place_error_constant_px": _length_of_mean(summed(offset), count),
        "place_error_without_constant_px": ratio(summed(residual.norm(dim=1)), count),
        "place_error_r2": _explained(test, residual, summed),
    }


def _length_of_mean(total: Float[Tensor, "B 2"], count: Int[Tensor, "B"]) -> Statistic:
    lengths = [ratio(total[:, axis], count) for axis in (0, 1)]
    return lambda times: torch.stack([part(times) for part in lengths]).norm(dim=0)


def _explained(
    test: Measured, rest: Float[Tensor, "n 2"], summed: Callable[[Tensor], Float[Tensor, "B"]]
) -> Statistic:
    """R2 of the errors, predicted linearly from what particles say of themselves; 0 where it is negative.

    The regression is learnt on the particles of one half of the pictures and scored on the other, both ways.
    Every second unit (clip, or person) is in the first half.
    """
    taken = test["taken"]
    predictors = test["said"][taken]
    unit = test["unit"].unique(return_inverse=True)[1]
    is_even = (unit % 2 == 0)[taken.nonzero()[:, 0]]
    left = rest.clone()
    for learnt in (is_even, ~is_even):
        if learnt.any():
            linear = ridges(predictors[learnt], rest[learnt], (PENALTY,))[0]
            left[~learnt] -= linear(predictors[~learnt])
    # nothing was held out where one half is empty
    around = summed(rest.square().sum(1)) * (is_even.any() & (~is_even).any())
    share = ratio(around - summed(left.square().sum(1)), around)
    return lambda times: share(times).clamp_min(0)
