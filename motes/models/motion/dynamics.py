"""How things move: the network that gives each thing an acceleration, frame after frame."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError
from motes.models.motion.agent import Agent
from motes.models.motion.history import History
from motes.models.motion.latent_actions import LASTS, NOISE, Courses, LatentActions, frames_ahead
from motes.nn.blocks.interaction import INTERACTIONS

# distances between things as the network reads them
NEAR = 4.0
# the presence of things, away from 0 and 1
LEAST = 1e-3
# of the last layer's first weights: at first, things move at constant velocity
FAINT = 0.01
# half pictures a frame: things whose steps are no longer do not move
STILL = 1e-3
# pixels: the least deviation of a place from where it is expected
SHARPEST = 0.02
# the largest log variance: what is known of an empty slot may be anything
WIDEST = 6.0
GAUSSIAN = "gaussian"
LATENT = "latent"


@runtime_checkable
class HasDynamics(Protocol):
    """What the network needs to know of a config."""

    @property
    def image_size(self) -> tuple[int, int]: ...
    @property
    def history(self) -> int: ...
    @property
    def interaction(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def rounds(self) -> int: ...
    @property
    def looks(self) -> bool: ...
    @property
    def motion(self) -> str: ...
    @property
    def actions(self) -> int: ...


@dataclass(frozen=True)
class Outlook:
    """What is expected of each thing in the next frame."""

    position: Float[Tensor, "B K 2"]
    # of the place, along rows and columns, in the same unit; 0: one future alone
    deviation: Float[Tensor, "B K 2"]
    # as logits
    presence: Float[Tensor, "B K"]


class Motion(nn.Module):
    """A network that says where things are next, and what follows from it: roll-outs, and units that fit the data."""

    # it looks back on so many frames
    frames: int
    # reads the log variances of accelerations; None: there are none
    spread: nn.Module | None
    # numbers of noise that draw a future in a step
    noise: int = 2

    # 2 over the usual length of a step
    pace: Tensor
    look_mean: Tensor
    look_spread: Tensor
    aspect: Tensor

    def __init__(self, image_size: tuple[int, int], features: int):
        super().__init__()
        side = torch.tensor(image_size, dtype=torch.float32)
        # places in units of half the shorter side
        self.register_buffer("aspect", side / side.min(), persistent=False)
        self.register_buffer("pace", torch.tensor(20.0))
        self.register_buffer("look_mean", torch.zeros(features))
        self.register_buffer("look_spread", torch.ones(features))

    def forward(self, history: History, action: Float[Tensor, "B A"] | None = None) -> Outlook:
        """What is expected after an action; what is not a number in it, or None, is not known."""
        raise NotImplementedError

    def rolled_out(
        self, history: History, steps: int, actions: Float[Tensor, "B R A"] | None = None
    ) -> Iterator[Outlook]:
        """Yields what is expected of the next frames, each predicted from those before."""
        for step in range(steps):
            outlook = self(history, None if actions is None else actions[:, step])
            yield outlook
            history = history.followed_by(outlook.position, outlook.presence.sigmoid())

    def futures(
        self,
        history: History,
        noise: Sequence[Float[Tensor, "B K n"] | None],
        actions: Sequence[Float[Tensor, "B A"] | None],
    ) -> Iterator[History]:
        """Yields the histories of the next frames; `noise` and `actions` are of each frame."""
        for numbers, action in zip(noise, actions, strict=True):
            history = self.after(history, numbers, action)
            yield history

    def after(
        self,
        history: History,
        noise: Float[Tensor, "B K 2"] | None = None,
        action: Float[Tensor, "B A"] | None = None,
    ) -> History:
        """The history one frame later; slots in another order give the same things in that order, bit for bit.

        `noise`, standard normal, draws the places; without it they are the expected ones.
        """
        ordered, order = history.in_order()
        outlook = self(ordered, action)
        position = outlook.position if noise is None else outlook.position + outlook.deviation * noise
        index = torch.arange(len(order), device=order.device)[:, None]
        back = order.argsort(1)
        return history.followed_by(position[index, back], outlook.presence.sigmoid()[index, back])

    def moves(self, steps: Float[Tensor, "n 2"]) -> bool:
        """Whether these are steps of things that move; of things that stand still, only the first ones have a length."""
        return bool((steps * self.aspect).norm(dim=-1).mean() > STILL)

    def _usual(self, steps: Float[Tensor, "n 2"]) -> Float[Tensor, ""]:
        return (steps * self.aspect).square().sum(-1).mean().sqrt()

    def fit(self, steps: Float[Tensor, "n 2"], looks: Float[Tensor, "m F"]) -> None:
        """Set the constants that bring what the network reads to a like size, from training clips.

        Clips in which nothing moves are refused.
        """
        if not self.moves(steps):
            raise UserError("nothing moves in these clips, so that there is no motion to learn; name a film")
        self.pace.copy_(2 / self._usual(steps))
        # looks that motion does not depend on are not told
        if looks.shape[1]:
            self.look_mean.copy_(looks.mean(0))
            self.look_spread.copy_(looks.std(0).clamp_min(1e-3))


class Dynamics(Motion):
    """p_t+1 = 2 p_t - p_t-1 + o / s and logit a_t+1 = logit a_t + q, (o, q) = W v, v of an interaction network.

    p is the place of a thing, a its presence, and s brings steps of the training clips to a size of about 2.
    A thing is read by its place and its steps over the history, if asked also by its look and scale; a pair by what lies between the two.
    Where actions are known, who acts is one more thing, without a place, that all others hear of (`Agent`).
    Where motion is Gaussian, log variances of o are read from v and what is known of the thing, and v learns nothing from them.
    Where it has latent actions, futures are drawn by them (`LatentActions`), which are read from the same, and v learns nothing.
    """

    def __init__(self, config: HasDynamics, features: int):
        super().__init__(config.image_size, features)
        self.frames = config.history
        steps = config.history - 1
        network = INTERACTIONS[config.interaction]
        self.traits = _looks_and_scales if config.looks else _nothing
        inputs = 2 + 3 * steps + 1 + (features + 2 if config.looks else 0)
        pair_inputs = 2 * config.history + 1 + 2 * steps
        self.agent = Agent(config.actions) if config.actions else None
        inputs = inputs if self.agent is None else inputs + self.agent.inputs
        self.interaction = network(inputs, pair_inputs, config.width, config.rounds)
        self.last = nn.Linear(config.width, 3)
        nn.init.normal_(self.last.weight, std=FAINT / config.width**0.5)
        nn.init.zeros_(self.last.bias)
        # after all else, so that the other weights are those of a network that knows one future
        self.spread = _spread(config.width + inputs, config.width) if config.motion == GAUSSIAN else None
        self.latent = LatentActions(config.width + inputs, config.width) if config.motion == LATENT else None
        self.noise = 2 if self.latent is None else NOISE
        # half the shorter side is 1
        self.sharpest = 2 * SHARPEST / min(config.image_size)

    def forward(self, history: History, action: Float[Tensor, "B A"] | None = None) -> Outlook:
        inputs = (self._things(history), self._pairs(history), history.presence)
        if self.agent is not None:
            inputs = self.agent.joined(*inputs, action)
        count = history.presence.shape[1]
        state = self.interaction(*inputs)[:, :count]
        change = self.last(state)
        unit = self.pace * self.aspect
        return Outlook(
            position=history.newest + history.step + change[..., :2] / unit,
            deviation=self._deviation(torch.cat([state.detach(), inputs[0][:, :count]], -1)) / unit,
            presence=history.presence.clamp(LEAST, 1 - LEAST).logit() + change[..., 2],
        )

    def futures(
        self,
        history: History,
        noise: Sequence[Float[Tensor, "B K n"] | None],
        actions: Sequence[Float[Tensor, "B A"] | None],
    ) -> Iterator[History]:
        """Yields the histories of the next frames. Latent actions draw where things go, and last `LASTS` frames each."""
        if self.latent is None or noise[0] is None:
            yield from super().futures(history, noise, actions)
            return
        course = history.position[:, :, :0]
        for step, numbers in enumerate(noise):
            frame = step % LASTS
            if frame == 0 and numbers is not None:
                course = self._drawn_course(history, numbers)
            history = history.followed_by(course[:, :, frame], self.after(history).presence)
            yield history

    def courses(self, history: History) -> Courses:
        """What things may do next, and how likely it is; the network itself learns nothing from it."""
        assert self.latent is not None
        with torch.no_grad():
            things = self._things(history)
            state = self.interaction(things, self._pairs(history), history.presence)
        return self.latent(torch.cat([state, things], -1))

    def beside_steady(self, history: History, position: Float[Tensor, "B K R 2"]) -> Float[Tensor, "B K R 2"]:
        """How far places of the next frames lie from where constant velocity leads, in units of the network."""
        return (position - self._steady(history)) * self.pace * self.aspect

    def _drawn_course(self, history: History, noise: Float[Tensor, "B K 3"]) -> Float[Tensor, "B K R 2"]:
        """Where things are in the next frames; slots in another order give the same things in that order, bit for bit."""
        ordered, order = history.in_order()
        course = self._steady(ordered) + self.courses(ordered).drawn(noise) / (self.pace * self.aspect)
        return course[torch.arange(len(order), device=order.device)[:, None], order.argsort(1)]

    def _steady(self, history: History) -> Float[Tensor, "B K R 2"]:
        """The places of the next frames at constant velocity."""
        return history.newest[:, :, None] + frames_ahead(history.position) * history.step[:, :, None]

    def _deviation(self, known: Float[Tensor, "B K n"]) -> Float[Tensor, "B K 2"]:
        """Of the acceleration, in its unit."""
        if self.spread is None:
            return known.new_zeros(*known.shape[:2], 2)
        variance = self.spread(known).clamp_max(WIDEST).exp()
        return (variance + (self.pace * self.sharpest).square()).sqrt()

    def _things(self, history: History) -> Float[Tensor, "B K n"]:
        newest = history.newest * self.aspect
        return torch.cat(
            [
                newest,
                self._steps(history).flatten(2),
                history.tracked[..., :-1].to(newest.dtype),
                self.traits(history, self.look_mean, self.look_spread),
                history.presence[..., None],
            ],
            -1,
        )

    def _pairs(self, history: History) -> Float[Tensor, "B K K e"]:
        position = NEAR * history.position * self.aspect
        offset = position[:, :, None] - position[:, None]
        steps = self._steps(history)
        drift = steps[:, :, None] - steps[:, None]
        # the root has no slope at 0
        distance = (offset[..., -1, :].square().sum(-1, keepdim=True) + 1e-12).sqrt()
        return torch.cat([offset.flatten(3), distance, drift.flatten(3)], -1)

    def _steps(self, history: History) -> Float[Tensor, "B K s 2"]:
        has_step = history.tracked[..., 1:] & history.tracked[..., :-1]
        return self.pace * (history.position * self.aspect).diff(dim=2) * has_step[..., None]


def _spread(inputs: int, width: int) -> nn.Module:
    """From what is known of a thing to the log variances of its acceleration."""
    return nn.Sequential(nn.Linear(inputs, width), nn.SiLU(), nn.Linear(width, 2))


def _looks_and_scales(
    history: History, mean: Float[Tensor, " F"], spread: Float[Tensor, " F"]
) -> Float[Tensor, "B K f"]:
    look = (history.look - mean) / spread
    return torch.cat([look, history.scale.clamp_min(LEAST).log()], -1)


def _nothing(
    history: History, mean: Float[Tensor, " F"], spread: Float[Tensor, " F"]
) -> Float[Tensor, "B K 0"]:
    return history.look[..., :0]
