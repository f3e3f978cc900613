"""Does an edit do what it should, and nothing else?

It is scored by the R2 of the intended change, and by the leakage into other factors.
"""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor

from motes.errors import UserError


def follows(target: Float[Tensor, "B"], measured: Float[Tensor, "B"]) -> float:
    """R2 of what was measured against its target, on the line of gradient 1 through 0.

    Only a change of exactly the target's size gives 1.
    """
    missed = (measured - target).square().sum()
    return float(1 - missed / (target - target.mean()).square().sum().clamp_min(1e-12))


def leakage(
    before: Mapping[str, Tensor],
    after: Mapping[str, Tensor],
    edited: str,
    typical: Mapping[str, Tensor] | None = None,
) -> dict[str, float]:
    """How much each factor but the edited one moved: mean |change| in % of its standard deviation.

    Factors are read from the pictures before and after an edit. `typical` gives values whose standard
    deviation is used, if the values before the edit are not typical.
    """
    if edited not in before:
        raise UserError(f"there is no factor {edited!r} here; there are {', '.join(before)}")
    leaks = {}
    for name in sorted(before.keys() - {edited}):
        deviation = (typical or before)[name].float().std(0).clamp_min(1e-9)
        leaks[name] = 100 * float(((after[name] - before[name]).abs() / deviation).mean())
    return leaks
