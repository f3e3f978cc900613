"""Pictures of shapes with one thing moved along its row, and what a drawn picture shows of that thing.
directions.py measures with it.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

GROUND = torch.tensor([0.0, 1.0, 1.0])[:, None, None]  # of the shapes
# Things move by 4 to 9 pixels: a moved thing stays, with its blurred rim,
# within the band in which it is looked at.
SHIFTS = (4, 10)
FACTORS = ("column", "row", "size", "red")


class Moves(NamedTuple):
    """Pictures, the same with one thing moved, how far in
    half pictures, which thing it was, and the truth before.
    """

    image: Tensor
    moved: Tensor
    amount: Tensor
    thing: Tensor
    truth: Any


def move_one_thing(data: Any, count: int, generator: torch.Generator) -> Moves:
    """In the first pictures where there is room for it."""
    chosen, moved, amounts, things = [], [], [], []
    for row in range(len(data)):
        if len(chosen) == count:
            break
        image = data.batch([row]).image[0]
        truth = data.truth([row])
        shift = int(torch.randint(*SHIFTS, (), generator=generator))
        shift *= 1 if torch.rand((), generator=generator) < 0.5 else -1
        thing = thing_with_room(truth)
        if thing is not None:
            chosen.append(row)
            moved.append(with_thing_moved(image, truth.masks[0, thing], shift))
            amounts.append(2 * shift / 63)
            things.append(thing)
    image = data.batch(chosen).image
    return Moves(image, torch.stack(moved), torch.tensor(amounts), torch.tensor(things), data.truth(chosen))


def thing_with_room(truth: Any) -> int | None:
    """The first thing that can be moved along its row without meeting another one or the border."""
    for thing in truth.present[0].nonzero()[:, 0].tolist():
        top, left, bottom, right = truth.boxes[0, thing].int().tolist()
        others = truth.masks[0].any(0) & ~truth.masks[0, thing]
        band = others[max(top - 3, 0) : bottom + 4, max(left - 14, 0) : right + 15]
        if left - 12 >= 0 and right + 12 <= 63 and not band.any():
            return thing
    return None


def with_thing_moved(image: Tensor, mask: Tensor, shift: int) -> Tensor:
    without = torch.where(mask, GROUND, image)
    return torch.where(mask.roll(shift, 1), image.roll(shift, 2), without)


def visible_factors(drawn: Tensor, moves: Moves) -> dict[str, Tensor]:
    """What a drawn picture shows of the thing in a band along its
    row, and of another thing in its box: place, size, colour.
    """
    truth = moves.truth
    values: dict[str, list[Tensor]] = {}
    for image, present, boxes, thing in zip(
        drawn, truth.present, truth.boxes, moves.thing.tolist(), strict=True
    ):
        others = [number for number in present.nonzero()[:, 0].tolist() if number != thing]
        shown = {"": factors_in_window(image, boxes[thing], 13)}
        another = (
            factors_in_window(image, boxes[others[0]], 2)
            if others
            else dict.fromkeys(FACTORS, torch.tensor(0.0))
        )
        shown["another's "] = another
        for prefix, factors in shown.items():
            for name, value in factors.items():
                values.setdefault(prefix + name, []).append(value)
    return {name: torch.stack(numbers) for name, numbers in values.items()}


def factors_in_window(image: Tensor, box: Tensor, reach: int) -> dict[str, Tensor]:
    """Of what differs from the ground, within the box and so many pixels to its left and right."""
    top, left, bottom, right = box.int().tolist()
    window = torch.zeros(image.shape[1:])
    window[max(top - 2, 0) : bottom + 3, max(left - reach, 0) : right + reach + 1] = 1
    weight = window * ((image - GROUND).abs().mean(0) - 0.05).clamp_min(0)
    total = weight.sum().clamp_min(1e-6)
    line = torch.linspace(-1, 1, 64)
    return {
        "column": (weight.sum(0) * line).sum() / total,
        "row": (weight.sum(1) * line).sum() / total,
        "size": total.sqrt(),
        "red": (weight * image[0]).sum() / total,
    }
