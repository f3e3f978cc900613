"""FEEDBACK_LOSSES: losses of a corrected pose, given the pose from which it was corrected; one number per
pose."""

from jaxtyping import Float
from torch import Tensor


def contraction_loss(
    pose: Float[Tensor, "B F"], target: Float[Tensor, "B F"], start: Float[Tensor, "B F"], share: float
) -> Float[Tensor, "B"]:
    """max(0, |pose - target| - share |start - target|): zero once the error is at most `share` of the
    start's.

    The bound shrinks with the start's error, so that small errors are never too small to matter (Oberweger et
    al. 2015, equation 4).
    """
    return ((pose - target).norm(dim=1) - share * (start - target).norm(dim=1)).clamp_min(0)


def squares_loss(
    pose: Float[Tensor, "B F"], target: Float[Tensor, "B F"], start: Float[Tensor, "B F"], share: float
) -> Float[Tensor, "B"]:
    """|pose - target|^2, whatever the start was; large errors dominate."""
    return (pose - target).square().sum(1)


FEEDBACK_LOSSES = {"contraction": contraction_loss, "squares": squares_loss}
