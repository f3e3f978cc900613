"""Directions: how a latent changes when one property of its picture changes.

A direction is learnt from pairs of pictures, from labels or from two sets of pictures. Latents of one code or
of particles have directions; other latents are refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cosine_similarity

from motes.errors import UserError
from motes.explore.curve import FIT_PENALTY, fit_curve, walk
from motes.explore.latents import code_field, code_of
from motes.explore.particle_changes import change_particles, expanded, largest_changes
from motes.ops.scores.regression import ridges
from motes.types.latents import Particles

PENALTY = 1e-3  # of a regression, a row
A_DIRECTION = "a direction"  # begins the sentence that refuses a latent


@dataclass(frozen=True)
class Direction:
    """A change of a latent: at strength 1, the parts named in `step` change by these amounts.

    With `turn` the path is curved: dz / da = step + z turn for the code z and the strength a. In a latent of
    particles, `step` is the change of one particle.
    """

    # name of a part of the latent -> its change, F numbers
    step: Mapping[str, Tensor]
    turn: Mapping[str, Float[Tensor, "F F"]] = field(default_factory=dict)
    # mean cosine between the changes it was learnt from and their mean; 1: all have the same direction
    agreement: float = 1.0

    def moved(
        self,
        latent: Any,
        strength: float | Float[Tensor, "B"],
        particle: int | Int[Tensor, "B"] | None = None,
    ) -> Any:
        """The latent moved along the direction, each picture by its own strength.

        In a latent of particles, the particle of this number moves in each picture, or all particles move if
        it is None.
        """
        if isinstance(latent, Particles):
            return change_particles(latent, self.step, strength, particle)
        code = code_of(latent, A_DIRECTION)
        if particle is not None:
            raise UserError("this latent has no particles; leave the particle out")
        if code_field(code) not in self.step:
            raise UserError("this direction was learnt from latents of another kind")
        return code.with_code(self._moved_code(code_field(code), code.code, strength))

    def _moved_code(self, name: str, code: Tensor, strength: float | Tensor) -> Tensor:
        amount = torch.as_tensor(strength, dtype=code.dtype, device=code.device)
        if name in self.turn:
            return walk(code, amount, self.step[name], self.turn[name])
        return code + amount.reshape(-1, *[1] * (code.dim() - 1)) * self.step[name]


def of_pairs(before: Any, after: Any, amount: Float[Tensor, "B"] | None = None) -> Direction:
    """The direction that is the mean change from `before` to `after`.

    If `amount` says how far the pictures of each pair differ, it is the change per unit of amount, by least
    squares. In latents of particles, the particles of a pair are matched, and the one that changed most gives
    the change of the pair.
    """
    _refuse_unlike(before, after)
    if isinstance(before, Particles):
        amount = _amounts(amount, before.position)
        changes, pairs = largest_changes(before, after)
        amount = amount[pairs]
    else:
        changes = _code_changes(before, after)
        amount = _amounts(amount, next(iter(changes.values())))
    step = {
        name: (expanded(amount, change) * change).sum(0) / amount.square().sum()
        for name, change in changes.items()
    }
    return Direction(step, agreement=_agreement(changes, step, amount))


def bending(
    before: Any, after: Any, amount: Float[Tensor, "B"] | None = None, penalty: float = FIT_PENALTY
) -> Direction:
    """The direction along a curve, where the change depends on the code z: dz / da = step + z turn.

    A walk of length `amount` leads from each picture's code in `before` to its code in `after`.

    It suits codes in which a factor runs along a curve, such as the position of something that moves through
    the picture. It is fitted to the ends of the paths: the straight line between the ends of an arc is
    shorter than the arc, so a straight fit of the differences would move too fast.
    """
    _refuse_unlike(before, after)
    if isinstance(before, Particles):
        raise UserError("a particle's direction is straight; use of_pairs")
    changes = _code_changes(before, after)
    name = code_field(before)
    start = before.code.detach()
    amount = _amounts(amount, start)
    step, turn = fit_curve(start, after.code.detach(), amount, penalty)
    mean = {name: step + (before.code @ turn).mean(0)}
    return Direction({name: step}, {name: turn}, _agreement(changes, mean, amount))


def of_unpaired(before: Any, after: Any) -> Direction:
    """The direction from the mean code of `before` to the mean code of `after`, two sets of unpaired
    pictures.

    It contains every other difference between the two sets too.
    """
    start = _labelled_code(before)
    return Direction({code_field(before): _labelled_code(after).mean(0) - start.mean(0)})


def of_labels(
    latent: Any,
    value: Float[Tensor, "B"],
    method: str = "ridge",
    covariates: Float[Tensor, "B Q"] | None = None,
) -> Direction:
    """The direction along which `value`, a known number of each picture, grows by one; `method` is a key of
    METHODS.

    `covariates` are Q other known numbers of each picture, which the direction leaves as they are.
    """
    code = _labelled_code(latent)
    _refuse_unknown_method(method)
    value = value.to(code)
    if len(value) != len(code) or not value.std() > 0:
        raise UserError("a direction from labels wants one number a picture, not all the same")
    return Direction({code_field(latent): METHODS[method](code, value, covariates)})


def _by_means(
    code: Float[Tensor, "B F"], value: Float[Tensor, "B"], covariates: Tensor | None
) -> Float[Tensor, " F"]:
    """The difference of the mean codes above and below the middle value, divided by that of the mean
    values."""
    if covariates is not None:
        raise UserError("class means cannot hold other factors still; use the method ridge")
    above = value > (value.min() + value.max()) / 2
    return (code[above].mean(0) - code[~above].mean(0)) / (value[above].mean() - value[~above].mean())


def _by_ridge(
    code: Float[Tensor, "B F"], value: Float[Tensor, "B"], covariates: Tensor | None
) -> Float[Tensor, " F"]:
    """The direction in code = value direction + covariates weight + offset, by ridge regression.

    Changes of the code that correlate with the covariates are attributed to the covariates.
    """
    columns = value[:, None]
    if covariates is not None:
        columns = torch.cat([columns, covariates.to(code)], 1)
    return ridges(columns, code, (PENALTY,))[0].weight[0].to(code)


METHODS = {"means": _by_means, "ridge": _by_ridge}


def _code_changes(before: Any, after: Any) -> dict[str, Tensor]:
    start = code_of(before, A_DIRECTION).code
    return {code_field(before): code_of(after, A_DIRECTION).code - start}


def _labelled_code(latent: Any) -> Float[Tensor, "B F"]:
    if isinstance(latent, Particles):
        raise UserError("which particle is meant is known from pairs only: use of_pairs")
    return code_of(latent, A_DIRECTION).code


def _amounts(amount: Tensor | None, part: Tensor) -> Float[Tensor, "B"]:
    amount = part.new_ones(len(part)) if amount is None else amount.to(part)
    if len(amount) != len(part) or not amount.abs().sum() > 0:
        raise UserError(
            f"there are {len(part)} pairs, and {len(amount)} amounts by which they differ, "
            "which must not all be 0"
        )
    return amount


def _agreement(changes: Mapping[str, Tensor], step: Mapping[str, Tensor], amount: Tensor) -> float:
    vectors = [change.flatten(1) if change.dim() > 1 else change[:, None] for change in changes.values()]
    mean = torch.cat([part.flatten() for part in step.values()])
    signed = torch.cat(vectors, 1) * amount.sign()[:, None]
    return cosine_similarity(signed, mean[None], dim=1).mean().item()


def _refuse_unlike(before: Any, after: Any) -> None:
    counts = [len(latent) for latent in (before, after)]
    if type(before) is not type(after) or counts[0] != counts[1] or not counts[0]:
        raise UserError(
            f"pairs are as many pictures before as after, one at least, not {counts[0]} and {counts[1]}"
        )


def _refuse_unknown_method(method: str) -> None:
    if method not in METHODS:
        raise UserError(
            f"there is no method {method!r} to learn a direction from labels; "
            f"choose one of {', '.join(METHODS)}"
        )
