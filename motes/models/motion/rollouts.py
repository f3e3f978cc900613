"""The loss of predictions against tracks."""

import math
from dataclasses import replace

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from motes.models.motion.dynamics import Motion
from motes.models.motion.history import History
from motes.ops.densities.noise import uniform_like
from motes.types.clips import ParticleClip

# smaller errors count as their squares, larger ones by their length: errors of tracking are outliers
BEND = 1e-3
PRESENCE = 0.1
# of the score of the deviations, which nothing else learns from
SPREAD = 0.1
# share of the windows whose actions are taken away, so that the same network predicts without being told any
UNTOLD = 0.1
# share of the histories whose oldest frames are taken away, as things are that were just found
SHORTENED = 0.1


def rollout_losses(
    dynamics: Motion,
    windows: ParticleClip,
    history: int,
    actions: Float[Tensor, "B R A"] | None = None,
) -> tuple[Float[Tensor, "B"], dict[str, Float[Tensor, "B"]]]:
    """The loss of each window and its terms: the frames after the history are predicted from it and from the actions.

    |s (p' - p)|, the length of the error in units of about half a usual step, and the cross-entropy of the presence,
    as means over things and frames. Only things count that were seen in both of the last two given frames, places
    only where they are seen. Where motion is Gaussian, also the CRPS of the first predicted frame, from which the
    variances learn, and nothing else.
    """
    future = windows.window(history, windows.frames - history)
    start = History.of(windows.window(0, history), history)
    if dynamics.training:
        start = shortened(start)
        actions = None if actions is None else _untold(actions)
    outlooks = list(dynamics.rolled_out(start, future.frames, actions))
    position = torch.stack([outlook.position for outlook in outlooks], 1)
    presence = torch.stack([outlook.presence for outlook in outlooks], 1)
    counted, is_same = counted_things(windows, start, history)
    is_found = is_same & future.by_clip(future.seen)
    error = dynamics.pace * dynamics.aspect * (position - future.by_clip(future.particles.position))
    terms = {"place": mean_of_counted((error.square().sum(-1) + BEND).sqrt(), is_found)}
    stays = future.by_clip(future.particles.presence).clamp(0, 1) * is_same
    terms["presence"] = mean_of_counted(_entropy(presence, stays), counted[:, None].expand_as(stays))
    total = terms["place"] + PRESENCE * terms["presence"]
    if dynamics.spread is None:
        return total, terms
    deviation = dynamics.pace * dynamics.aspect * outlooks[0].deviation[:, None]
    terms["spread"] = mean_of_counted(crps(error[:, :1].detach(), deviation), is_found[:, :1])
    return total + SPREAD * terms["spread"], terms


def _entropy(logit: Float[Tensor, "B R K"], target: Float[Tensor, "B R K"]) -> Float[Tensor, "B R K"]:
    return F.binary_cross_entropy_with_logits(logit, target, reduction="none")


def counted_things(
    windows: ParticleClip, start: History, history: int
) -> tuple[Bool[Tensor, "B K"], Bool[Tensor, "B R K"]]:
    """Which slots hold a thing that was seen in both of the last two given frames, and in which frames they hold it still."""
    track = windows.by_clip(windows.track)
    visible = windows.by_clip(windows.seen)
    counted = visible[:, history - 1] & visible[:, history - 2] & start.tracked[..., -2:].all(-1)
    return counted, (track[:, history:] == track[:, history - 1 : history]) & counted[:, None]


def crps(error: Float[Tensor, "... 2"], deviation: Float[Tensor, "... 2"]) -> Float[Tensor, "..."]:
    """The continuous ranked probability score of N(0, deviation^2) at the error, summed over rows and columns.

    (Gneiting & Raftery 2007, https://doi.org/10.1198/016214506000001437.)
    """
    ratio = error / deviation
    density = (-ratio.square() / 2).exp() / math.sqrt(2 * math.pi)
    score = ratio * torch.erf(ratio / math.sqrt(2)) + 2 * density - 1 / math.sqrt(math.pi)
    return (deviation * score).sum(-1)


def _untold(actions: Float[Tensor, "B R A"]) -> Float[Tensor, "B R A"]:
    """The actions, of which those of some windows are not known."""
    chosen = uniform_like(actions[:, 0, 0]) < UNTOLD
    return actions.masked_fill(chosen[:, None, None], torch.nan)


def shortened(history: History) -> History:
    """Some of the histories without their oldest frames."""
    frames = history.tracked.shape[-1]
    chosen = uniform_like(history.presence[:, 0]) < SHORTENED
    left = 1 + (uniform_like(history.presence[:, 0]) * (frames - 1)).floor()
    age = torch.arange(frames - 1, -1, -1, device=left.device)
    is_left = (age < left[:, None]) | ~chosen[:, None]
    first = frames - left.long()
    oldest = history.position[torch.arange(len(left), device=left.device), :, first]
    position = torch.where(is_left[:, None, :, None], history.position, oldest[:, :, None])
    return replace(history, position=position, tracked=history.tracked & is_left[:, None])


def mean_of_counted(values: Float[Tensor, "B R K"], counted: Bool[Tensor, "B R K"]) -> Float[Tensor, "B"]:
    return (values * counted).sum((1, 2)) / counted.sum((1, 2)).clamp_min(1)
