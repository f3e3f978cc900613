"""Scores of an edit: does it make the intended change, and no other?

They are the R2 of the intended change, and the leakage into other factors.
"""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError


def follows(target: Float[Tensor, "B"], measured: Float[Tensor, "B"]) -> float:
    """R2 of the measured changes against their targets, along the line measured = target.

    It is 1 only if every change has exactly the target's size.
    """
    missed = (measured - target).square().sum()
    return float(1 - missed / (target - target.mean()).square().sum().clamp_min(1e-12))


def leakage(
    before: Mapping[str, Tensor],
    after: Mapping[str, Tensor],
    edited: str,
    typical: Mapping[str, Tensor] | None = None,
) -> dict[str, float]:
    """How much each factor but the edited one changed: mean |change| in % of the factor's standard deviation.

    `before` and `after` are the factors of the pictures before and after the edit. The standard deviation is
    that of `typical`, if given, else of `before`.
    """
    if edited not in before:
        raise UserError(f"there is no factor {edited!r} here; there are {', '.join(before)}")
    leaks = {}
    for name in sorted(before.keys() - {edited}):
        deviation = (typical or before)[name].float().std(0).clamp_min(1e-9)
        leaks[name] = 100 * float(((after[name] - before[name]).abs() / deviation).mean())
    return leaks
