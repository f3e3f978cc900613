"""Predicted frames as clips of particles: things that move, and are otherwise as they were."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError
from motes.models.base import Model
from motes.models.motion.dynamics import Motion
from motes.models.motion.history import History
from motes.models.tracking import followed
from motes.ops.points.pixels import pixels_of_positions
from motes.ops.rendering.depth import front_first
from motes.types.clips import ParticleClip
from motes.types.latents import Particles

# of a pixel
PARTS = 1024


def clip_to_continue(model: Model, seen: Particles | ParticleClip, frames: int, steps: int) -> ParticleClip:
    """The given clips, whose particles are followed first where they have no identity; to predict no step is refused."""
    if steps < 1:
        raise UserError("a prediction has at least one step; to follow things and predict nothing, track")
    return seen if isinstance(seen, ParticleClip) else followed(model, seen, frames, model.config.image_size)


def predicted(
    motion: Motion,
    clip: ParticleClip,
    steps: int,
    size: tuple[int, int],
    noise: Sequence[Float[Tensor, "B K n"] | None] = (),
    actions: Sequence[Float[Tensor, "B A"] | None] = (),
) -> ParticleClip:
    """The `steps` frames that follow each clip, by a network of their motion; `noise` and `actions` are of each step."""
    history = History.of(clip, motion.frames)
    nothing = [None] * steps
    return continued(clip, list(motion.futures(history, noise or nothing, actions or nothing)), size)


def continued(given: ParticleClip, future: Sequence[History], size: tuple[int, int]) -> ParticleClip:
    """The frames that follow the given ones, in the same slots; nothing in them was seen.

    `size` is that of the pictures, in which boxes move along.
    """
    steps = len(future)
    newest = given.window(given.frames - 1, 1)
    look = future[-1].look
    position = torch.stack([history.newest for history in future], 1)
    changed = {
        "position": position.flatten(0, 1),
        "presence": torch.stack([history.presence for history in future], 1).flatten(0, 1),
        "features": look.repeat_interleave(steps, 0),
    }
    if newest.particles.extent is not None:
        changed["extent.scale"] = future[-1].scale.repeat_interleave(steps, 0)
    again = torch.arange(len(newest), device=position.device).repeat_interleave(steps)
    particles = newest.particles[again].with_tensors(changed)
    track = newest.track[again]
    return ParticleClip(particles, track, torch.full_like(track, -1), _moved(newest, position, size), steps)


def noise_of_samples(
    clip: ParticleClip, steps: int, samples: int, seed: int, numbers: int = 2
) -> list[Float[Tensor, "N K n"] | None]:
    """Standard normal noise for each step of the samples, one clip's after the other's; None for no samples.

    Sample s has the same numbers in all clips, so that a clip alone has the future that it has beside others.
    """
    if samples < 0:
        raise UserError(f"the number of samples must be 0 or more, not {samples}")
    if not samples:
        return [None] * steps
    random = torch.Generator().manual_seed(seed)
    shape = (samples, clip.particles.count, numbers)
    drawn = [torch.randn(shape, generator=random) for _ in range(steps)]
    return [noise.repeat(clip.clips, 1, 1).to(clip.particles.position) for noise in drawn]


def in_drawing_order(clip: ParticleClip) -> Particles:
    """The particles of all frames, the nearest first, where they have a depth: that is how they are drawn."""
    particles = replace(clip.particles, certainty=None)
    return particles if particles.extent is None else particles.reordered(front_first(particles.extent.depth))


def _moved(
    newest: ParticleClip, position: Float[Tensor, "B R K 2"], size: tuple[int, int]
) -> Float[Tensor, "N K 4"] | None:
    """The boxes of the newest frame, moved with the places."""
    if newest.box is None:
        return None
    before = _rounded(pixels_of_positions(newest.particles.position, size))
    around = _rounded(newest.box) - torch.cat([before, before], -1)
    after = _rounded(pixels_of_positions(position, size))
    return (torch.cat([after, after], -1) + around[:, None]).flatten(0, 1)


def _rounded(pixels: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Pixels in parts whose sums are exact, so that boxes do not depend on where a prediction was interrupted."""
    return (pixels * PARTS).round() / PARTS
