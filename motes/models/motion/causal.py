"""`CausalMotion`: where things are next, for every frame of a clip at once."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from motes.models.motion.dynamics import FAINT, LEAST, NEAR, Motion, Outlook
from motes.models.motion.history import History
from motes.nn.blocks.space_time import SpaceTime

# interactions of things, each followed by a look back
BLOCKS = 2
# places lie in the picture, or so far outside of it, in half pictures
MARGIN = 0.25
# of the logarithm of a variance of places: the first one, and the least: a fiftieth of a pixel of 64
FIRST_VARIANCE = -6.0
LEAST_VARIANCE = -15.0


@runtime_checkable
class HasMotion(Protocol):
    """What the network needs to know of a config."""

    @property
    def image_size(self) -> tuple[int, int]: ...
    @property
    def frames(self) -> int: ...
    @property
    def interaction(self) -> str: ...
    @property
    def width(self) -> int: ...


@dataclass(frozen=True)
class Expected:
    """What is expected of each frame's next one."""

    position: Float[Tensor, "B T K 2"]
    log_variance: Float[Tensor, "B T K 2"]
    # as logits
    presence: Float[Tensor, "B T K"]


class CausalMotion(Motion):
    """N(p_t + (p_t - p_t-1) + o / s, v) for the place p_t+1 and logit a_t + q for its presence, (o, v, q) of SpaceTime.

    A thing is read by its place and its last step, a pair by what lies between the two.
    """

    def __init__(self, config: HasMotion):
        super().__init__(config.image_size, 0)
        # of a window; the newest frame has no next one to learn from
        self.frames = config.frames - 1
        self.spread = None
        self.network = SpaceTime(7, 5, config.width, self.frames, config.interaction, BLOCKS)
        self.last = nn.Linear(config.width, 5)
        nn.init.normal_(self.last.weight, std=FAINT / config.width**0.5)
        nn.init.zeros_(self.last.bias)

    def expected(
        self,
        position: Float[Tensor, "B T K 2"],
        presence: Float[Tensor, "B T K"],
        number: Int[Tensor, "B T K"],
    ) -> Expected:
        """What comes after each frame, given it and those before; `number` says which thing is in a slot, or none (-1)."""
        there = number >= 0
        same = _same(number) & rearrange(there, "b t k -> b k t 1")
        step, has_step = _steps(position, number)
        nodes = torch.cat([position * self.aspect, self._motion(step, has_step)], -1)
        state = self.network(nodes, self._pairs(position, step), there.to(position.dtype), same)
        change = self.last(state)
        next_place = position + step + change[..., :2] / (self.pace * self.aspect)
        return Expected(
            next_place.clamp(-1 - MARGIN, 1 + MARGIN),
            (FIRST_VARIANCE + change[..., 2:4]).clamp_min(LEAST_VARIANCE),
            presence.clamp(LEAST, 1 - LEAST).logit() + change[..., 4],
        )

    def forward(self, history: History, action: Float[Tensor, "B A"] | None = None) -> Outlook:
        position = rearrange(history.position, "b k t c -> b t k c")
        tracked = history.tracked & history.alive[..., None]
        number = rearrange(tracked.long() - 1, "b k t -> b t k")
        presence = history.presence[:, None].expand(number.shape)
        next_frame = self.expected(position, presence, number)
        # variances are what the posterior is held against, and not errors of this network alone
        certain = torch.zeros_like(history.newest)
        return Outlook(next_frame.position[:, -1], certain, next_frame.presence[:, -1])

    def _motion(
        self, step: Float[Tensor, "B T K 2"], has_step: Bool[Tensor, "B T K"]
    ) -> Float[Tensor, "B T K 5"]:
        """The last step of each thing, how it changed, which is known from the third frame on, and whether it has one."""
        has_bend = torch.cat([torch.zeros_like(has_step[:, :1]), has_step[:, 1:] & has_step[:, :-1]], 1)
        bend = torch.cat([torch.zeros_like(step[:, :1]), step.diff(dim=1)], 1) * has_bend[..., None]
        scale = self.pace * self.aspect
        return torch.cat([scale * step, scale * bend, has_step[..., None].to(step.dtype)], -1)

    def _pairs(
        self, position: Float[Tensor, "B T K 2"], step: Float[Tensor, "B T K 2"]
    ) -> Float[Tensor, "B T K K 5"]:
        scaled = NEAR * position * self.aspect
        offset = scaled[:, :, :, None] - scaled[:, :, None]
        pace = self.pace * self.aspect * step
        # the root has no slope at 0
        distance = (offset.square().sum(-1, keepdim=True) + 1e-12).sqrt()
        return torch.cat([offset, distance, pace[:, :, :, None] - pace[:, :, None]], -1)


def _steps(
    position: Float[Tensor, "B T K 2"], number: Int[Tensor, "B T K"]
) -> tuple[Float[Tensor, "B T K 2"], Bool[Tensor, "B T K"]]:
    """From the frame before to each frame, and whether the thing was there in both; 0 where not."""
    same = (number[:, 1:] == number[:, :-1]) & (number[:, 1:] >= 0)
    has_step = torch.cat([torch.zeros_like(same[:, :1]), same], 1)
    step = torch.cat([torch.zeros_like(position[:, :1]), position.diff(dim=1)], 1)
    return step * has_step[..., None], has_step


def _same(number: Int[Tensor, "B T K"]) -> Bool[Tensor, "B K T T"]:
    by_slot = rearrange(number, "b t k -> b k t")
    return by_slot[..., :, None] == by_slot[..., None, :]
