"""Curves of codes along which a factor changes: dz / da = step + z turn, for a code z and an amount a.

`walk` follows such a curve, `fit_curve` finds `step` and `turn`.
"""

import torch
from jaxtyping import Float
from torch import Tensor

STRIDES = 4  # of a walk along a curve
# of the gradient descent that fits a curve; the penalty is of each squared number of `turn`
FIT_STEPS = 400
FIT_RATE = 0.05
FIT_PENALTY = 1e-4


def walk(
    code: Float[Tensor, "B F"], amount: Tensor, step: Float[Tensor, " F"], turn: Float[Tensor, "F F"]
) -> Float[Tensor, "B F"]:
    """The codes at the end of a walk of length `amount` from `code` along dz / da = step + z turn.

    The curve is integrated by the midpoint rule.
    """
    stride = amount.reshape(-1, 1) / STRIDES
    for _ in range(STRIDES):
        middle = code + stride / 2 * (step + code @ turn)
        code = code + stride * (step + middle @ turn)
    return code


def fit_curve(
    start: Float[Tensor, "B F"], end: Float[Tensor, "B F"], amount: Float[Tensor, "B"], penalty: float
) -> tuple[Float[Tensor, " F"], Float[Tensor, "F F"]]:
    """`step` and `turn` such that a walk of `amount` from each start leads to its end, and a walk back to its
    start.

    `penalty` weighs the size of `turn`.
    """
    codes = torch.cat([start, end])
    middle = codes.mean(0)
    spread = codes.std(0, correction=0).clamp_min(1e-6)
    start = (start - middle) / spread
    end = (end - middle) / spread
    there_and_back = torch.cat([start, end]), torch.cat([end, start]), torch.cat([amount, -amount])
    step, turn = _fitted(*there_and_back, penalty)
    turn = turn * spread / spread[:, None]
    return spread * step - middle @ turn, turn


def _fitted(
    start: Float[Tensor, "B F"], end: Float[Tensor, "B F"], amount: Float[Tensor, "B"], penalty: float
) -> tuple[Float[Tensor, " F"], Float[Tensor, "F F"]]:
    """`step` and `turn`, fitted by Adam; the fit begins with a straight line."""
    straight = (amount[:, None] * (end - start)).sum(0) / amount.square().sum()
    step = straight.clone().requires_grad_()
    turn = torch.zeros(len(straight), len(straight)).to(straight).requires_grad_()
    optimizer = torch.optim.Adam([step, turn], lr=FIT_RATE)
    for number in range(FIT_STEPS):
        optimizer.param_groups[0]["lr"] = FIT_RATE * (1 - number / FIT_STEPS)
        with torch.enable_grad():
            error = (walk(start, amount, step, turn) - end).square().sum(1).mean()
            loss = error + penalty * turn.square().sum()
            step.grad, turn.grad = torch.autograd.grad(loss, [step, turn])
        optimizer.step()
    return step.detach(), turn.detach()
