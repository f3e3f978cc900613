"""Scores of futures that are drawn: are they near the truth, and as different as it takes?"""

from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor

from motes.evaluation.clips.moments import Moment
from motes.evaluation.clips.tracks import by_clip
from motes.evaluation.question import GIVEN, EncodedBatch, Measured
from motes.models.abilities import Predicts, Varies
from motes.models.middles import middle_pixels
from motes.ops.gather import take
from motes.ops.points.pixels import pixels_of_points
from motes.ops.scores.forecasts import diversity, energy_score, inside_hull, last_inside, ways_taken

# futures of each clip
SAMPLES = 8


def can_be_drawn(encoded: EncodedBatch) -> bool:
    return isinstance(encoded.model, Varies) and encoded.model.varies


def of_samples(
    encoded: EncodedBatch, moment: Moment, horizons: list[int], actions: Float[Tensor, "B R A"] | None
) -> Measured:
    """Sums over the things of each clip that are there and had a particle, by horizon."""
    objects = moment.things
    assert objects is not None and isinstance(encoded.model, Predicts)
    told = None if actions is None else actions[:, : horizons[-1]]
    future = encoded.model.predict(moment.given, GIVEN, horizons[-1], told, samples=SAMPLES)
    # clips, samples, frames, slots
    position = future.by_clip(middle_pixels(encoded.model, future.particles, encoded.size))
    slot = moment.slot.clamp_min(0)
    in_use = slot.repeat_interleave(SAMPLES, 0)
    paths = (
        take(rearrange(position, "b r k c -> b k r c"), in_use).unflatten(0, (-1, SAMPLES)).transpose(1, 2)
    )
    measured: Measured = {}
    for horizon in horizons:
        measured |= _of_places(moment, horizon, paths[..., horizon - 1, :])
        ends = last_inside(paths[..., :horizon, :], encoded.size)
        measured |= _of_ways(encoded, moment, horizon, ends)
    return measured


def _of_places(moment: Moment, horizon: int, samples: Float[Tensor, "B n S 2"]) -> Measured:
    objects = moment.things
    assert objects is not None
    counted = _counted(moment, horizon)
    truth = objects.centre[:, moment.start + horizon - 1]
    return {
        f"energy_{horizon}": energy_score(samples, truth).where(counted, 0).sum(1),
        f"covered_{horizon}": (inside_hull(samples, truth) & counted).sum(1),
        f"diversity_{horizon}": diversity(samples).where(counted, 0).sum(1),
        f"counted_{horizon}": counted.sum(1),
    }


def _counted(moment: Moment, horizon: int) -> Bool[Tensor, "B n"]:
    """The things that have a particle, and are there at the start and then."""
    objects = moment.things
    assert objects is not None
    frame = moment.start + horizon - 1
    return (moment.slot >= 0) & objects.present[:, moment.start - 1] & objects.present[:, frame]


def _of_ways(encoded: EncodedBatch, moment: Moment, horizon: int, ends: Float[Tensor, "B n S 2"]) -> Measured:
    """Sums over the things that have taken one of several ways by then: which of them futures take, and how many do."""
    objects = moment.things
    if encoded.branches is None or objects is None:
        return {}
    rows = by_clip(encoded, encoded.batch.index)[:, moment.start - 1]
    points = encoded.branches.ways(rows.tolist()).to(ends)
    ways = pixels_of_points(points, encoded.size)
    reach = objects.diameter[:, moment.start - 1] / 2
    frame = moment.start + horizon - 1
    true = ways_taken(objects.centre[:, frame, :, None], ways, reach).any((2, 3))
    counted = true & _counted(moment, horizon)
    taken = ways_taken(ends, ways, reach)
    return {
        f"ways_{horizon}": taken.any(2).to(ends).mean(-1).where(counted, 0).sum(1),
        f"on_way_{horizon}": taken.any(3).to(ends).mean(-1).where(counted, 0).sum(1),
        f"choosing_{horizon}": counted.sum(1),
    }
