"""Tracks of training clips that are remembered, so that motion is learnt from many windows a step, without pictures."""

import sys
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from motes.models.base import TrainingPictures
from motes.models.motion.dynamics import Motion
from motes.models.motion.rollouts import rollout_losses
from motes.models.particles.dlp import DeepLatentParticles
from motes.models.video.tracking_posterior import motion_by_posterior
from motes.models.video.training_clips import TrainingClips
from motes.ops.densities.noise import uniform_like
from motes.types.batch import Batch, Losses
from motes.types.clips import ParticleClip

# windows in each step, and the share of them that are drawn to where velocities change
WINDOWS = 32
EVENTS = 0.5
# frames that a roll-out predicts in training, and that it is given
ROLL_OUT = 5
GIVEN = 6
# pixels of clips that are followed together: to follow many costs little more than one
AT_ONCE = 1 << 23


def losses_of_windows(terms: dict[str, Float[Tensor, "n"]], batch: Batch) -> Losses:
    """The sum of the terms; each has as many entries as the batch has pictures."""
    total = torch.stack([value.mean() for value in terms.values()]).sum()
    entries = {
        name: value.repeat(len(batch) // len(value) + 1)[: len(batch)] for name, value in terms.items()
    }
    return Losses(total, entries)


def _rolled_out(frames: int) -> int:
    """How many of so many frames are predicted: something must be given."""
    return max(min(ROLL_OUT, frames - 2), 1)


def remembered(
    model: DeepLatentParticles, pictures: TrainingPictures, frames: int = sys.maxsize
) -> TrainingClips:
    """The motion in about the first `frames` frames, or in all."""
    parts = []
    waiting: list[Batch] = []
    for batch in pictures:
        waiting.append(batch)
        if sum(one.image[:, 0].numel() for one in waiting) >= AT_ONCE:
            parts.append(_motion_of(model, waiting))
            waiting = []
        if sum(map(len, [*parts, *waiting])) >= frames:
            break
    if waiting:
        parts.append(_motion_of(model, waiting))
    return TrainingClips.of_parts(parts)


def _motion_of(model: DeepLatentParticles, batches: Sequence[Batch]) -> ParticleClip:
    image = torch.cat([batch.image for batch in batches])
    return motion_by_posterior(model, image, batches[0].frames)


def moments(training: TrainingClips, history: int, like: Tensor) -> ParticleClip:
    """Windows from all over the clips, with so many frames to look back on."""
    clips = training.clips
    steps = _rolled_out(clips.frames)
    given = min(history, clips.frames - steps)
    chance = uniform_like(like.new_zeros(WINDOWS, 2))
    clip = (chance[:, 0] * clips.clips).long()
    start = (chance[:, 1] * (clips.frames - given - steps + 1)).long()
    return training.windows(clip * clips.frames + start, given, steps, EVENTS)


def rolled_out_from_last(windows: ParticleClip, motion: Motion) -> Float[Tensor, "B"]:
    """The error of roll-outs over the last frames of each window."""
    steps = _rolled_out(windows.frames)
    given = min(GIVEN, windows.frames - steps)
    last = windows.window(windows.frames - given - steps, given + steps)
    return rollout_losses(motion, last, given)[0]
