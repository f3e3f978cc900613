"""How things move: the network that gives each thing an acceleration, frame after frame."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motes.errors import UserError
from motes.models.video.history import History
from motes.nn.blocks.interaction import INTERACTIONS

# distances between things as the network reads them
NEAR = 4.0
# the presence of things, away from 0 and 1
LEAST = 1e-3
# of the last layer's first weights: at first, things move at constant velocity
FAINT = 0.01
# half pictures a frame: things whose steps are no longer do not move
STILL = 1e-3


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


class Motion(nn.Module):
    """A network that says where things are next, and what follows from it: roll-outs, and units that fit the data."""

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

    def forward(self, history: History) -> tuple[Float[Tensor, "B K 2"], Float[Tensor, "B K"]]:
        """The places and the presence (as logits) in the next frame."""
        raise NotImplementedError

    def rolled_out(
        self, history: History, steps: int
    ) -> Iterator[tuple[Float[Tensor, "B K 2"], Float[Tensor, "B K"]]]:
        """Yields places and presence (as logits) of the next frames, each predicted from those before."""
        for _ in range(steps):
            position, presence = self(history)
            yield position, presence
            history = history.followed_by(position, presence.sigmoid())

    def after(self, history: History) -> History:
        """The history one frame later; slots in another order give the same things in that order, bit for bit."""
        ordered, order = history.in_order()
        position, presence = self(ordered)
        index = torch.arange(len(order), device=order.device)[:, None]
        back = order.argsort(1)
        return history.followed_by(position[index, back], presence.sigmoid()[index, back])

    def moves(self, steps: Float[Tensor, "n 2"]) -> bool:
        """Whether these are steps of things that move."""
        return bool(self._usual(steps) > STILL)

    def _usual(self, steps: Float[Tensor, "n 2"]) -> Float[Tensor, ""]:
        return (steps * self.aspect).square().sum(-1).mean().sqrt()

    def fit(self, steps: Float[Tensor, "n 2"], looks: Float[Tensor, "m F"]) -> None:
        """Set the constants that bring what the network reads to a like size, from training clips.

        Clips in which nothing moves are refused.
        """
        if not self.moves(steps):
            raise UserError("nothing moves in these clips, so that there is no motion to learn; name a film")
        self.pace.copy_(2 / self._usual(steps))
        self.look_mean.copy_(looks.mean(0))
        self.look_spread.copy_(looks.std(0).clamp_min(1e-3))


class Dynamics(Motion):
    """p_t+1 = 2 p_t - p_t-1 + o / s and logit a_t+1 = logit a_t + q, (o, q) = W v, v of an interaction network.

    p is the place of a thing, a its presence, and s brings steps of the training clips to a size of about 2.
    A thing is read by its place and its steps over the history, if asked also by its look and scale; a pair by what lies between the two.
    """

    def __init__(self, config: HasDynamics, features: int):
        super().__init__(config.image_size, features)
        steps = config.history - 1
        network = INTERACTIONS[config.interaction]
        self.traits = _looks_and_scales if config.looks else _nothing
        inputs = 2 + 3 * steps + 1 + (features + 2 if config.looks else 0)
        pair_inputs = 2 * config.history + 1 + 2 * steps
        self.interaction = network(inputs, pair_inputs, config.width, config.rounds)
        self.last = nn.Linear(config.width, 3)
        nn.init.normal_(self.last.weight, std=FAINT / config.width**0.5)
        nn.init.zeros_(self.last.bias)

    def forward(self, history: History) -> tuple[Float[Tensor, "B K 2"], Float[Tensor, "B K"]]:
        """The places and the presence (as logits) in the next frame."""
        state = self.interaction(self._things(history), self._pairs(history), history.presence)
        change = self.last(state)
        position = history.newest + history.step + change[..., :2] / (self.pace * self.aspect)
        return position, history.presence.clamp(LEAST, 1 - LEAST).logit() + change[..., 2]

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


def _looks_and_scales(
    history: History, mean: Float[Tensor, " F"], spread: Float[Tensor, " F"]
) -> Float[Tensor, "B K f"]:
    look = (history.look - mean) / spread
    return torch.cat([look, history.scale.clamp_min(LEAST).log()], -1)


def _nothing(
    history: History, mean: Float[Tensor, " F"], spread: Float[Tensor, " F"]
) -> Float[Tensor, "B K 0"]:
    return history.look[..., :0]
