"""What the true laws of motion say, where the data know them: no model can be better than the same start allows."""

import torch

from motes.evaluation.clips.moments import Forecast, Moment
from motes.evaluation.clips.tracks import by_clip
from motes.evaluation.question import EncodedBatch
from motes.models.middles import middle_pixels
from motes.ops.gather import take


def simulations(encoded: EncodedBatch, moment: Moment, steps: int) -> dict[str, Forecast]:
    """Simulations from true places and velocities, and from the last places and steps of the particles.

    A thing without a particle starts from the truth in both, so that others may hit it, and has no error.
    """
    objects = moment.things
    truth = encoded.truth
    if encoded.world is None or objects is None or truth is None or "velocity" not in truth.factors:
        return {}
    centre = objects.centre[:, moment.start - 1]
    speed = by_clip(encoded, truth.factors["velocity"])[:, moment.start - 1]
    pixels = moment.given.by_clip(middle_pixels(encoded.model, moment.given.particles, encoded.size))
    slot = moment.slot.clamp_min(0)
    newest = take(pixels[:, -1], slot)
    step = newest - take(pixels[:, -2], slot)
    has_particle = (moment.slot >= 0)[..., None]
    starts = {
        "laws": (centre, speed),
        "laws_encoded": (newest.where(has_particle, centre), step.where(has_particle, speed)),
    }
    number = torch.arange(centre.shape[1], device=centre.device).expand_as(moment.slot)
    forecasts = {}
    for name, (position, velocity) in starts.items():
        ahead = encoded.world.simulated(position.cpu().numpy(), velocity.cpu().numpy(), steps)
        simulated = torch.from_numpy(ahead).to(centre)
        presence = torch.ones_like(simulated[..., 0])
        forecasts[name] = Forecast(simulated, presence, number.where(moment.slot >= 0, -1))
    return forecasts
