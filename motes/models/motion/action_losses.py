"""The loss of latent actions against what things did."""

from jaxtyping import Float
from torch import Tensor

from motes.models.motion.dynamics import Dynamics
from motes.models.motion.history import History
from motes.models.motion.latent_actions import LASTS
from motes.models.motion.rollouts import BEND, SPREAD, counted_things, crps, mean_of_counted, shortened
from motes.types.clips import ParticleClip

# mean errors of a course, in units of about half a usual step, that are worth one nat of the choice: when training
# begins, so that all courses learn from all futures, and after so much of it
FIRST_WORTH = 2.0
WORTH = 0.4
FALLS_OVER = 0.6


def worth_of_nat(share: float) -> float:
    """The worth of a nat when this share of the training is done."""
    return FIRST_WORTH * (WORTH / FIRST_WORTH) ** min(share / FALLS_OVER, 1.0)


def action_losses(
    dynamics: Dynamics, windows: ParticleClip, history: int, worth: float = WORTH
) -> tuple[Float[Tensor, "B"], dict[str, Float[Tensor, "B"]]]:
    """The loss of each window and its terms: the frames after the history are what things chose to do.

    -w log sum_m pi_m exp(-d_m / w), where d_m is the mean error of course m, in which the inverse model
    q_m ~ pi_m exp(-d_m / w) is the best there is: it is the least of sum_m q_m d_m + w KL(q | pi). The deviations learn
    from the CRPS of each course, weighted by q, and nothing else does.
    """
    future = windows.window(history, LASTS)
    start = History.of(windows.window(0, history), history)
    if dynamics.training:
        start = shortened(start)
    _, is_same = counted_things(windows, start, history)
    is_found = (is_same[:, :LASTS] & future.by_clip(future.seen)).transpose(1, 2)
    courses = dynamics.courses(start)
    true = dynamics.beside_steady(start, future.by_clip(future.particles.position).transpose(1, 2))
    error = courses.offset - true[:, :, None]
    weight = is_found / is_found.sum(-1, keepdim=True).clamp_min(1)
    length = ((error.square().sum(-1) + BEND).sqrt() * weight[:, :, None]).sum(-1)
    joint = courses.chance - length / worth
    inverse = joint.detach().softmax(-1)
    of_course = (crps(error.detach(), courses.deviation) * weight[:, :, None]).sum(-1)
    counts = is_found.any(-1)[:, None]
    terms = {
        "course": mean_of_counted(-worth * joint.logsumexp(-1)[:, None], counts),
        "course_spread": mean_of_counted((inverse * of_course).sum(-1)[:, None], counts),
    }
    return terms["course"] + SPREAD * terms["course_spread"], terms
