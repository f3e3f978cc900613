"""Directions: what a latent changes by when one thing about its picture does, learnt from pairs, from labels
or from two heaps of pictures."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from motes.errors import UserError
from motes.ops.points.interpolation import matched
from motes.ops.scores.regression import ridges
from motes.types.latents import Particles

OF_PARTICLES = ("position", "features", "presence")  # what of a particle a direction may change
STRIDES = 4  # in which a direction that bends is walked
# of the descent that bends it; the last is of a squared number
FIT_STEPS = 400
FIT_RATE = 0.05
FIT_PENALTY = 1e-4
PENALTY = 1e-3  # of a regression, a row


@dataclass(frozen=True)
class Direction:
    """At strength 1 a part of the latent changes by `step`; with `turn` the way bends: its slope is `step +
    part turn`.

    Of particles it is what one particle changes by.
    """

    # part of the latent -> its change, F numbers
    step: Mapping[str, Tensor]
    turn: Mapping[str, Float[Tensor, "F F"]] = field(default_factory=dict)
    # of what it was learnt from: mean cosine between each change and the mean change; 1: all alike
    agreement: float = 1.0

    def moved(
        self,
        latent: Any,
        strength: float | Float[Tensor, "B"],
        particle: int | Int[Tensor, "B"] | None = None,
    ) -> Any:
        """The latent further along, each picture by its own strength; of particles, one in each picture, or
        all."""
        if isinstance(latent, Particles):
            return _particles_moved(self.step, latent, strength, particle)
        if particle is not None:
            raise UserError("this latent has no particles; leave the particle out")
        return replace(
            latent, **{name: self._walked(name, latent.tensors()[name], strength) for name in self.step}
        )

    def _walked(self, name: str, part: Tensor, strength: float | Tensor) -> Tensor:
        share = torch.as_tensor(strength, dtype=part.dtype, device=part.device)
        if name in self.turn:
            return walked(part, share, self.step[name], self.turn[name])
        return part + share.reshape(-1, *[1] * (part.dim() - 1)) * self.step[name]


def of_pairs(before: Any, after: Any, amount: Float[Tensor, "B"] | None = None) -> Direction:
    """The mean change; where it is known how far each pair went, the change a unit, by least squares.

    Of particles: of each pair the one particle that changed most, after each was matched to its counterpart.
    """
    _refuse_unlike(before, after)
    amount = _amounts(amount, before.tensors()[_first(before)])
    if isinstance(before, Particles):
        found, known = _of_changed_particles(before, after)
        amount = amount[known]
    else:
        found = _differences(before, after)
    step = {
        name: (_spread_out(amount, change) * change).sum(0) / amount.square().sum()
        for name, change in found.items()
    }
    return Direction(step, agreement=_agreement(found, step, amount))


def bending(
    before: Any, after: Any, amount: Float[Tensor, "B"] | None = None, penalty: float = FIT_PENALTY
) -> Direction:
    """A change that depends on where one is: dz / da = step + z turn, such that it leads from each picture
    to its other in `amount`.

    For codes in which a factor runs along a curve, as a place does that moves through the picture. What
    counts is where the way ends: a line from end to end of an arc is shorter than the arc, and a straight
    fit of differences walks too fast.
    """
    _refuse_unlike(before, after)
    if isinstance(before, Particles):
        raise UserError("a particle's direction is straight; use of_pairs")
    name = _first(before)
    start = before.tensors()[name].detach()
    end = after.tensors()[name].detach()
    amount = _amounts(amount, start)
    everything = torch.cat([start, end])
    middle = everything.mean(0)
    spread = everything.std(0, correction=0).clamp_min(1e-6)
    start = (start - middle) / spread
    end = (end - middle) / spread
    step, turn = _curved(
        torch.cat([start, end]), torch.cat([end, start]), torch.cat([amount, -amount]), penalty
    )
    turn = turn * spread / spread[:, None]
    step = spread * step - middle @ turn
    mean = {name: step + (before.tensors()[name] @ turn).mean(0)}
    return Direction({name: step}, {name: turn}, _agreement(_differences(before, after), mean, amount))


def _curved(
    start: Float[Tensor, "B F"], end: Float[Tensor, "B F"], amount: Float[Tensor, "B"], penalty: float
) -> tuple[Float[Tensor, " F"], Float[Tensor, "F F"]]:
    """By Adam, from a straight way on."""
    straight = (amount[:, None] * (end - start)).sum(0) / amount.square().sum()
    step = straight.clone().requires_grad_()
    turn = torch.zeros(len(straight), len(straight)).to(straight).requires_grad_()
    optimizer = torch.optim.Adam([step, turn], lr=FIT_RATE)
    for number in range(FIT_STEPS):
        optimizer.param_groups[0]["lr"] = FIT_RATE * (1 - number / FIT_STEPS)
        with torch.enable_grad():
            missed = (walked(start, amount, step, turn) - end).square().sum(
                1
            ).mean() + penalty * turn.square().sum()
            step.grad, turn.grad = torch.autograd.grad(missed, [step, turn])
        optimizer.step()
    return step.detach(), turn.detach()


def walked(
    part: Float[Tensor, "B F"], amount: Tensor, step: Float[Tensor, " F"], turn: Float[Tensor, "F F"]
) -> Float[Tensor, "B F"]:
    """Along dz / da = step + z turn, in strides whose slope is that of their middle."""
    stride = amount.reshape(-1, 1) / STRIDES
    for _ in range(STRIDES):
        half = part + stride / 2 * (step + part @ turn)
        part = part + stride * (step + half @ turn)
    return part


def of_unpaired(before: Any, after: Any) -> Direction:
    """The difference of the means of two heaps of pictures; what else differs between the heaps comes
    along."""
    _refuse_particles(before)
    name = _first(before)
    return Direction({name: after.tensors()[name].mean(0) - before.tensors()[name].mean(0)})


def of_labels(
    latent: Any, value: Float[Tensor, "B"], way: str = "ridge", others: Float[Tensor, "B Q"] | None = None
) -> Direction:
    """By one number known of each picture, a unit of it: see WAYS. `others`: what else is known, and shall
    stay."""
    _refuse_particles(latent)
    if way not in WAYS:
        raise UserError(
            f"there is no way {way!r} to learn a direction from labels; choose one of {', '.join(WAYS)}"
        )
    name = _first(latent)
    value = value.to(latent.tensors()[name])
    if len(value) != len(latent.tensors()[name]) or not value.std() > 0:
        raise UserError("a direction from labels wants one number a picture, not all the same")
    return Direction({name: WAYS[way](latent.tensors()[name], value, others)})


def _by_means(
    code: Float[Tensor, "B F"], value: Float[Tensor, "B"], others: Tensor | None
) -> Float[Tensor, " F"]:
    """Of the classes above and below the middle, a unit of the label."""
    if others is not None:
        raise UserError("class means cannot hold other factors still; use the way ridge")
    above = value > (value.min() + value.max()) / 2
    return (code[above].mean(0) - code[~above].mean(0)) / (value[above].mean() - value[~above].mean())


def _by_ridge(
    code: Float[Tensor, "B F"], value: Float[Tensor, "B"], others: Tensor | None
) -> Float[Tensor, " F"]:
    """Code = value direction + others rest + offset, by ridge regression: what goes along with the others is
    theirs."""
    known = value[:, None] if others is None else torch.cat([value[:, None], others.to(code)], 1)
    return ridges(known, code, (PENALTY,))[0].weight[0].to(code)


WAYS = {"means": _by_means, "ridge": _by_ridge}


def follows(asked: Float[Tensor, "B"], measured: Float[Tensor, "B"]) -> float:
    """R2 of what was measured against what was asked for, on the line of slope 1 through 0: only moving as
    asked gives 1."""
    return float(
        1 - (measured - asked).square().sum() / (asked - asked.mean()).square().sum().clamp_min(1e-12)
    )


def leakage(
    before: Mapping[str, Tensor],
    after: Mapping[str, Tensor],
    asked: str,
    spread: Mapping[str, Tensor] | None = None,
) -> dict[str, float]:
    """How much each other factor moved, read from the pictures before and after an edit: mean |change| in %
    of its spread.

    `spread`: values of each factor whose standard deviation counts, where those before the edit are not
    typical.
    """
    if asked not in before:
        raise UserError(f"there is no factor {asked!r} here; there are {', '.join(before)}")
    found = {}
    for name in before.keys() - {asked}:
        deviation = (spread or before)[name].float().std(0).clamp_min(1e-9)
        found[name] = 100 * float(((after[name] - before[name]).abs() / deviation).mean())
    return dict(sorted(found.items()))


def _particles_moved(
    step: Mapping[str, Tensor], latent: Particles, strength: float | Tensor, particle: int | Tensor | None
) -> Particles:
    share = torch.as_tensor(strength, dtype=latent.position.dtype, device=latent.position.device).expand(
        len(latent.position)
    )
    chosen = torch.ones_like(latent.presence)
    if particle is not None:
        index = torch.as_tensor(particle, device=chosen.device).expand(len(chosen))
        if int(index.max()) >= latent.count:
            raise UserError(f"there is no particle {int(index.max())}; this picture has {latent.count}")
        chosen = torch.zeros_like(chosen).scatter(1, index[:, None], 1.0)
    weight = chosen * share[:, None]
    changed = {
        name: latent.tensors()[name] + _spread_out(weight, latent.tensors()[name]) * change
        for name, change in step.items()
    }
    if "presence" in changed:
        changed["presence"] = changed["presence"].clamp(0, 1)
    return replace(latent, **changed)


def _of_changed_particles(before: Particles, after: Particles) -> tuple[dict[str, Tensor], list[int]]:
    """Of each pair the change of the particle that changed most, in units of what particles differ by; and
    the pairs that have one."""
    names = [name for name in OF_PARTICLES if before.tensors()[name].numel()]
    spread = {name: before.tensors()[name].flatten(0, 1).std(0).clamp_min(1e-6) for name in names}
    found: dict[str, list[Tensor]] = {name: [] for name in names}
    known: list[int] = []
    for n in range(len(before.position)):
        one, other = (latent[slice(n, n + 1)] for latent in (before, after))
        match = matched(one, other)
        mine = (match >= 0).nonzero()[:, 0]
        if not len(mine):
            continue
        changes = {
            name: other.tensors()[name][0, match[mine]] - one.tensors()[name][0, mine] for name in names
        }
        far = sum(
            ((changes[name] / spread[name]).reshape(len(mine), -1).square().sum(1) for name in names),
            torch.zeros(1).to(mine.device),
        )
        known.append(n)
        for name in names:
            found[name].append(changes[name][far.argmax()])
    if not known:
        raise UserError(
            "no particle is there before and after, in no pair; train the model longer, or give other pairs"
        )
    return {name: torch.stack(changes) for name, changes in found.items()}, known


def _differences(before: Any, after: Any) -> dict[str, Tensor]:
    name = _first(before)
    return {name: after.tensors()[name] - before.tensors()[name]}


def _first(latent: Any) -> str:
    """The part of a code that decides what is drawn."""
    return next(iter(latent.tensors()))


def _amounts(amount: Tensor | None, part: Tensor) -> Float[Tensor, "B"]:
    amount = part.new_ones(len(part)) if amount is None else amount.to(part)
    if len(amount) != len(part) or not amount.abs().sum() > 0:
        raise UserError(
            f"there are {len(part)} pairs, and {len(amount)} amounts by which they differ, which must not all be 0"
        )
    return amount


def _agreement(found: Mapping[str, Tensor], step: Mapping[str, Tensor], amount: Tensor) -> float:
    changes = torch.cat(
        [change.flatten(1) if change.dim() > 1 else change[:, None] for change in found.values()], 1
    )
    mean = torch.cat([one.flatten() for one in step.values()])
    return float(
        torch.nn.functional.cosine_similarity(changes * amount.sign()[:, None], mean[None], dim=1).mean()
    )


def _spread_out(weight: Tensor, part: Tensor) -> Tensor:
    """With ones for the dimensions that only the part has."""
    return weight.reshape(*weight.shape, *[1] * (part.dim() - weight.dim()))


def _refuse_unlike(before: Any, after: Any) -> None:
    counts = [len(next(iter(latent.tensors().values()))) for latent in (before, after)]
    if type(before) is not type(after) or counts[0] != counts[1] or not counts[0]:
        raise UserError(
            f"pairs are as many pictures before as after, one at least, not {counts[0]} and {counts[1]}"
        )


def _refuse_particles(latent: Any) -> None:
    if isinstance(latent, Particles):
        raise UserError("which particle is meant is known from pairs only: use of_pairs")
