"""FEEDBACK_LOSSES: what a corrected pose costs, given the pose that it was corrected from; one number a
pose."""

from jaxtyping import Float
from torch import Tensor


def contraction_loss(
    found: Float[Tensor, "B F"], wanted: Float[Tensor, "B F"], start: Float[Tensor, "B F"], share: float
) -> Float[Tensor, "B"]:
    """max(0, |found - wanted| - share |start - wanted|): nothing, once the error has shrunk to a share of
    what it was.

    The bound goes down with the error, so that small errors are never too small to matter (Oberweger et al.
    2015, equation 4).
    """
    return ((found - wanted).norm(dim=1) - share * (start - wanted).norm(dim=1)).clamp_min(0)


def squares_loss(
    found: Float[Tensor, "B F"], wanted: Float[Tensor, "B F"], start: Float[Tensor, "B F"], share: float
) -> Float[Tensor, "B"]:
    """|found - wanted|^2, wherever it started: large errors are what it learns from."""
    return (found - wanted).square().sum(1)


FEEDBACK_LOSSES = {"contraction": contraction_loss, "squares": squares_loss}
