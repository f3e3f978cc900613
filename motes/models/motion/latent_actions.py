"""`LatentActions`: what a thing may do over its next frames, as one of several courses."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

# that each thing chooses from
ACTIONS = 16
# frames of a course
LASTS = 20
# hidden units, in widths of the network of motion
WIDER = 2
# numbers of noise that draw the course of a thing: its deviation along rows and columns, and which one it is
NOISE = 3
# of a course's deviation, in units of about half a usual step: the least, and the logarithm of the most
SHARPEST = 0.02
WIDEST = 6.0


@dataclass(frozen=True)
class Courses:
    """What K things may do in the next R frames: M courses, each beside where constant velocity leads."""

    # log probabilities
    chance: Float[Tensor, "B K M"]
    # in units of about half a usual step
    offset: Float[Tensor, "B K M R 2"]
    deviation: Float[Tensor, "B K M R 2"]

    def drawn(self, noise: Float[Tensor, "B K 3"]) -> Float[Tensor, "B K R 2"]:
        """The offsets of one course of each thing; it deviates to the same side in all frames."""
        level = torch.special.ndtr(noise[..., 2:])
        number = (level > self.chance.exp().cumsum(-1)[..., :-1]).sum(-1)
        index = number[..., None, None, None].expand(-1, -1, 1, *self.offset.shape[3:])
        offset = self.offset.gather(2, index)[:, :, 0]
        deviation = self.deviation.gather(2, index)[:, :, 0]
        return offset + deviation * noise[:, :, None, :2]


class LatentActions(nn.Module):
    """pi_m and N(p_t + r (p_t - p_t-1) + r o_mr / s, v_mr) for the place p_t+r of a thing that takes action m.

    The prior pi and the courses o follow from what the network of motion knows of the thing. The inverse model, which
    action was taken, follows from the two by Bayes' rule (`action_losses`). One latent action for each particle, as in
    LPWM (2026), but of a few courses, and for several frames.
    """

    def __init__(self, known: int, width: int):
        super().__init__()
        numbers = ACTIONS * 2 * LASTS
        self.courses = _three_layers(known, WIDER * width, ACTIONS + numbers)
        self.deviations = _three_layers(known, width, numbers)

    def forward(self, known: Float[Tensor, "B K n"]) -> Courses:
        chance, offset = self.courses(known).split([ACTIONS, ACTIONS * 2 * LASTS], -1)
        deviation = self.deviations(known).clamp_max(WIDEST).exp()
        shape = (ACTIONS, LASTS, 2)
        ahead = frames_ahead(known)
        return Courses(
            chance=chance.log_softmax(-1),
            offset=ahead * offset.unflatten(-1, shape),
            deviation=ahead * deviation.unflatten(-1, shape) + SHARPEST,
        )


def frames_ahead(like: Tensor) -> Float[Tensor, "R 1"]:
    """1, 2, ... of the frames of a course."""
    return torch.arange(1, LASTS + 1, dtype=like.dtype, device=like.device)[:, None]


def _three_layers(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, outputs)
    )
