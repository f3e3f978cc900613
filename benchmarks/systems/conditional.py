"""Conditional generation of chairs: views that training never
saw, against the nearest view and a blend of the two neighbours.
"""

import math
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from benchmarks.systems.system import Bar, Figures, picture_rows, save_page_picture, seeded, trained
from motes.apps.drawing.marks import sheet
from motes.data.base import Dataset
from motes.models.factors.conditional import Condition, ConditionalGenerator
from motes.ops.points.similarity import NUMBERS
from motes.training.presets import PRESETS

BARS = [
    Bar(
        "over_nearest",
        "held-out views: squared error over that of the nearest view of the same chair",
        "<=",
        0.999,
    ),
    Bar(
        "over_blend",
        "held-out views: squared error over that of the blend of the two neighbours",
        "<=",
        0.999,
    ),
    Bar("error", "held-out views: squared error, a number of the picture"),
    Bar("nearest", "the same, of the nearest view"),
    Bar("blend", "the same, of the blend"),
    Bar("inside_over_blend", "inside the mask alone: squared error over the blend's"),
    Bar("overlap", "mask's intersection over union, held-out views"),
    Bar("shift_r2", "shift of the drawn mask's middle against the shift asked for: R2", ">=", 0.95),
    Bar(
        "morph",
        "share of pairs of chairs whose mask leaves the one and nears the other with every step of the blend",
    ),
    Bar(
        "found",
        "conditions found by descent: squared error of held-out views over the one with the true condition",
    ),
]
VIEW = (0.7, 0.5)  # of morphs: azimuth and elevation


class Views(NamedTuple):
    """All pictures of a split, what is drawn for their conditions, and the masks of both."""

    image: Tensor
    drawn: Tensor
    drawn_mask: Tensor
    mask: Tensor


def run(seed: int, folder: Path) -> Figures:
    recipe = seeded(PRESETS["conditional-chairs"].recipe, seed)
    model = trained(recipe, folder / "run")
    assert isinstance(model, ConditionalGenerator)
    learnt = recipe.data.open("train")
    tested = recipe.data.open("test")
    with torch.no_grad():
        figures = held_out_figures(model, learnt, tested)
        figures["shift_r2"] = shift_r2(model, tested)
        figures["morph"] = monotone_morphs(model)
        figures["found"] = descent_ratio(model, tested)
        if seed == 0:
            draw_chairs(model, learnt, tested)
    return figures


def held_out_figures(model: ConditionalGenerator, learnt: Dataset, tested: Dataset) -> Figures:
    views = drawn_views(model, tested)
    nearest, blend = neighbours(learnt, tested)
    rivals = {"error": views.drawn, "nearest": nearest, "blend": blend}
    errors = {name: (image - views.image).square() for name, image in rivals.items()}
    means = {name: float(error.mean()) for name, error in errors.items()}
    inside = {name: float((error * views.mask).sum() / views.mask.sum()) for name, error in errors.items()}
    intersection = ((views.drawn_mask > 0.5) & (views.mask > 0.5)).sum((1, 2, 3))
    union = ((views.drawn_mask > 0.5) | (views.mask > 0.5)).sum((1, 2, 3))
    return means | {
        "over_nearest": means["error"] / means["nearest"],
        "over_blend": means["error"] / means["blend"],
        "inside_over_blend": inside["error"] / inside["blend"],
        "overlap": float((intersection / union).mean()),
    }


def drawn_views(model: ConditionalGenerator, data: Dataset) -> Views:
    parts = []
    for start in range(0, len(data), 64):
        batch = data.batch(range(start, min(start + 64, len(data))), model.needs)
        drawn, drawn_mask = model.drawn(model.condition(batch.labels["class"], batch.labels["view"]))
        parts.append((batch.image, drawn, drawn_mask, batch.labels["mask"][:, None].float()))
    return Views(*(torch.cat(part) for part in zip(*parts, strict=True)))


def neighbours(learnt: Dataset, tested: Dataset) -> tuple[Tensor, Tensor]:
    """Of each held-out view: the nearest training view of that chair
    and elevation, and both neighbours weighted by their nearness.
    """
    truth = learnt.truth(range(len(learnt)))
    test_truth = tested.truth(range(len(tested)))
    assert truth and test_truth
    nearest = []
    blend = []
    for chair, (azimuth, elevation) in zip(test_truth.scene["class"], test_truth.scene["view"], strict=True):
        level = (truth.scene["view"][:, 1] - elevation).abs() < 1e-4
        rows = ((truth.scene["class"] == chair) & level).nonzero()[:, 0]
        angle = (truth.scene["view"][rows, 0] - azimuth + math.pi) % (2 * math.pi) - math.pi
        before = rows[torch.where(angle < 0, angle, -math.inf).argmax()]
        after = rows[torch.where(angle > 0, angle, math.inf).argmin()]
        pair = learnt.batch([int(before), int(after)]).image
        angle_before = -angle[angle < 0].max()
        share = angle_before / (angle_before + angle[angle > 0].min())
        nearest.append(pair[nearer(share)])
        blend.append((1 - share) * pair[0] + share * pair[1])
    return torch.stack(nearest), torch.stack(blend)


def nearer(share: Tensor) -> int:
    """0 for the view before, 1 for the one after; by chance where both are as near."""
    if share == 0.5:
        return int(torch.randint(2, ()))
    return int(share > 0.5)


def shift_r2(model: ConditionalGenerator, tested: Dataset, count: int = 128) -> float:
    """Of the drawn mask's middle, down and to the right, between the condition shifted and not."""
    batch = tested.batch(range(count), model.needs)
    shift = torch.zeros(count, NUMBERS)
    shift[:, :2] = (
        2 * torch.rand(count, 2, generator=torch.Generator().manual_seed(0)) - 1
    ) * model.config.shift

    def shifted_middle(transform: Tensor) -> Tensor:
        return middle(model.drawn(model.condition(batch.labels["class"], batch.labels["view"], transform))[1])

    unmoved = shifted_middle(0 * shift)
    moved = shifted_middle(shift)
    error = (moved - unmoved - shift[:, :2]).square().sum()
    return float(1 - error / (shift[:, :2] - shift[:, :2].mean(0)).square().sum())


def middle(mask: Tensor) -> Tensor:
    """(row, column) in [-1, 1]."""
    rows, columns = (torch.linspace(-1, 1, side) for side in mask.shape[-2:])
    total = mask.sum((1, 2, 3))
    row = (mask.sum((1, 3)) * rows).sum(1) / total
    column = (mask.sum((1, 2)) * columns).sum(1) / total
    return torch.stack([row, column], 1)


def monotone_morphs(model: ConditionalGenerator, pairs: int = 40, steps: int = 9) -> float:
    """From chair to chair at one view: the mask's likeness
    to the first only falls, and to the second only rises.
    """
    monotone = 0
    for pair in range(pairs):
        chairs = torch.tensor([pair % model.config.classes, (7 * pair + 3) % model.config.classes])
        mask = model.drawn(morph(model, chairs, steps))[1].flatten(1)
        to_first, to_second = (overlaps(mask, mask[end]) for end in (0, -1))
        monotone += bool((to_first.diff() <= 1e-3).all() and (to_second.diff() >= -1e-3).all())
    return monotone / pairs


def morph(model: ConditionalGenerator, chairs: Tensor, steps: int) -> Condition:
    """From one chair to another at VIEW."""
    view = torch.tensor([VIEW]).expand(steps, 2)
    ends = model.condition(chairs, view[:2])
    share = torch.linspace(0, 1, steps)[:, None]
    weights = (1 - share) * ends.weights[:1] + share * ends.weights[1:]
    return replace(ends, weights=weights, view=view, transform=torch.zeros(steps, NUMBERS))


def overlaps(masks: Tensor, mask: Tensor) -> Tensor:
    return torch.minimum(masks, mask).sum(1) / torch.maximum(masks, mask).sum(1)


def descent_ratio(model: ConditionalGenerator, tested: Dataset, count: int = 24) -> float:
    batch = tested.batch(range(count), model.needs)
    with_truth = model.decode(model.condition(batch.labels["class"], batch.labels["view"]))
    by_descent = model.decode(model.encode(batch.image))
    return float((by_descent - batch.image).square().mean() / (with_truth - batch.image).square().mean())


def draw_chairs(model: ConditionalGenerator, learnt: Dataset, tested: Dataset) -> None:
    """Eight chairs: truth, drawn, nearest and blend at views never
    seen; then a walk around, a blend of chairs, and transforms.
    """
    views = drawn_views(model, tested)
    nearest, blend = neighbours(learnt, tested)
    truth = tested.truth(range(len(tested)))
    assert truth
    labels = truth.scene["class"]
    chosen = [int((labels == chair).nonzero()[0, 0]) for chair in labels.unique()[:8]]
    pictures = (views.image, views.drawn, views.drawn_mask.expand(-1, 3, -1, -1), nearest, blend)
    rows = [image[chosen] for image in pictures]
    azimuth = torch.linspace(0, 2 * math.pi * 7 / 8, 8)
    turn = torch.stack([azimuth, torch.full((8,), math.radians(30.0))], 1)
    rows.append(model.decode(model.condition(torch.full((8,), int(labels[chosen[0]])), turn)))
    rows.append(model.decode(morph(model, labels[[chosen[0], chosen[2]]], 8)))
    view = torch.tensor([VIEW]).expand(8, 2)
    transform = transforms().float() * model.reach
    rows.append(model.decode(model.condition(torch.full((8,), int(labels[chosen[1]])), view, transform)))
    save_page_picture(sheet(picture_rows(rows, 96)), "conditional")


def transforms() -> Tensor:
    """Each of the first three numbers both ways, then the fourth and the fifth."""
    moves = torch.zeros(8, NUMBERS, dtype=torch.long)
    entries = ((0, -1), (0, 1), (1, -1), (1, 1), (2, 1), (2, -1), (3, 1), (4, -1))
    for row, (number, sign) in enumerate(entries):
        moves[row, number] = sign
    return moves
