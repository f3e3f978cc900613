"""How far predicted particles are from their things, frame by frame, and how they fare in the end."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motes.evaluation.clips.moments import Forecast, Moment, TrueObjects
from motes.evaluation.question import Measured
from motes.ops.gather import take

# frames at the end of the longest prediction over which speeds are compared
SPEED_OVER = 5


def errors(moment: Moment, forecast: Forecast, horizons: list[int]) -> Measured:
    """Sums over the things of each clip, by horizon; of all, of those that hit others before then, and of the rest."""
    objects = moment.things
    assert objects is not None
    slot = forecast.slot.clamp_min(0)
    measured: Measured = {}
    for horizon in horizons:
        frame = moment.start + horizon - 1
        in_both = objects.present[:, moment.start - 1] & objects.present[:, frame]
        paired = _paired(moment, forecast, horizon)
        error = (take(forecast.place[:, horizon - 1], slot) - objects.centre[:, frame]).norm(dim=-1)
        for group, is_in in _groups(objects, moment.start, frame).items():
            measured[f"{group}error_{horizon}"] = error.where(paired & is_in, 0).sum(1)
            measured[f"{group}pairs_{horizon}"] = (paired & is_in).sum(1)
        measured[f"truths_{horizon}"] = in_both.sum(1)
    return measured


def soundness(moment: Moment, forecast: Forecast, size: tuple[int, int]) -> Measured:
    """Sums over the pairs at the end of a prediction."""
    objects = moment.things
    assert objects is not None
    steps = forecast.place.shape[1]
    paired = _paired(moment, forecast, steps)
    slot = forecast.slot.clamp_min(0)
    ends = torch.stack([take(forecast.place[:, -1 - back], slot) for back in range(SPEED_OVER)], 1)
    end = moment.start + steps
    true_ends = objects.centre[:, end - SPEED_OVER : end]
    sides = ends.new_tensor(size)
    is_inside = ((ends[:, 0] >= -0.5) & (ends[:, 0] <= sides - 0.5)).all(-1)
    measured = {
        "speed": (ends.diff(dim=1).norm(dim=-1).sum(1) * paired).sum(1),
        "true_speed": (true_ends.diff(dim=1).norm(dim=-1).sum(1) * paired).sum(1),
        "inside": (is_inside & paired).sum(1),
        "at_end": paired.sum(1),
        "overlap": _overlap(ends[:, 0], objects.diameter[:, end - 1], paired),
        "true_overlap": _overlap(objects.centre[:, end - 1], objects.diameter[:, end - 1], paired),
        "couples": paired.sum(1) * (paired.sum(1) - 1) / 2,
    }
    return measured | _drift(moment, forecast, paired)


def _groups(objects: TrueObjects, start: int, frame: int) -> dict[str, Bool[Tensor, "B n"]]:
    groups = {"": torch.ones_like(objects.present[:, 0])}
    if objects.hit is not None:
        is_hit = objects.hit[:, start : frame + 1].any(1)
        groups |= {"hit_": is_hit, "free_": ~is_hit}
    return groups


def _paired(moment: Moment, forecast: Forecast, horizon: int) -> Bool[Tensor, "B n"]:
    """Whether a thing that is there then and was there at the start has a particle that is held to be there then."""
    objects = moment.things
    assert objects is not None
    frame = moment.start + horizon - 1
    in_both = objects.present[:, moment.start - 1] & objects.present[:, frame]
    stays = forecast.presence[:, horizon - 1].gather(1, forecast.slot.clamp_min(0)) > 0.5
    return in_both & stays & (forecast.slot >= 0)


def _overlap(
    place: Float[Tensor, "B n 2"], diameter: Float[Tensor, "B n"], paired: Bool[Tensor, "B n"]
) -> Float[Tensor, "B"]:
    """By what share of their mean diameter couples of things overlap, summed over the couples."""
    reach = (diameter[:, :, None] + diameter[:, None]) / 2
    depth = (1 - torch.cdist(place, place) / reach).clamp_min(0)
    counts = paired[:, :, None] & paired[:, None]
    return (depth * counts).triu(1).sum((1, 2))


def _drift(moment: Moment, forecast: Forecast, paired: Bool[Tensor, "B n"]) -> Measured:
    """How far looks have gone from their means over the given frames, in standard deviations of those of all things."""
    if forecast.clip is None:
        return {}
    given = moment.given
    is_there = given.by_clip(given.track >= 0)[..., None].to(given.particles.features)
    before = (given.by_clip(given.particles.features) * is_there).sum(1) / is_there.sum(1).clamp_min(1)
    spread = given.particles.features[given.track >= 0].std(0, correction=0).clamp_min(1e-6)
    gone = (forecast.clip.at(-1).features - before) / spread
    of_slot = gone.square().mean(-1).sqrt()
    return {"look_drift": (of_slot.gather(1, forecast.slot.clamp_min(0)) * paired).sum(1)}
