"""Conditional generation of chairs: views that training never saw, against the nearest view and a blend of the two neighbours."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from bar import Bar
from PIL import Image as Pictures
from runs import finished, seeded

from motes import load
from motes.apps.draw import sheet, to_picture
from motes.data.base import Dataset
from motes.models.conditional import ConditionalGenerator
from motes.ops.placing import NUMBERS
from motes.training.loop import open_data
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
ROOT = Path(__file__).parents[2]


def measure(seed: int, folder: Path) -> dict[str, float]:
    recipe = seeded(PRESETS["conditional-chairs"].recipe, seed)
    model = load(finished(recipe, folder / "run"))
    assert isinstance(model, ConditionalGenerator)
    seen, unseen = open_data(recipe, "train"), open_data(recipe, "test")
    with torch.no_grad():
        found = held_out(model, seen, unseen) | {"shift_r2": shifts(model, unseen), "morph": morphs(model)}
        found["found"] = descents(model, unseen)
        if seed == 0:
            picture(model, seen, unseen).save(ROOT / "docs/family/conditional.png", optimize=True)
    return found


def held_out(model: ConditionalGenerator, seen: Dataset, unseen: Dataset) -> dict[str, float]:
    image, drawn, mask, covered = drawn_views(model, unseen)
    nearest, blend = neighbours(seen, unseen)
    errors = {
        name: (one - image).square()
        for name, one in (("error", drawn), ("nearest", nearest), ("blend", blend))
    }
    means = {name: float(one.mean()) for name, one in errors.items()}
    inside = {name: float((one * covered).sum() / covered.sum()) for name, one in errors.items()}
    both, either = (
        ((mask > 0.5) & (covered > 0.5)).sum((1, 2, 3)),
        ((mask > 0.5) | (covered > 0.5)).sum((1, 2, 3)),
    )
    return means | {
        "over_nearest": means["error"] / means["nearest"],
        "over_blend": means["error"] / means["blend"],
        "inside_over_blend": inside["error"] / inside["blend"],
        "overlap": float((both / either).mean()),
    }


def drawn_views(model: ConditionalGenerator, data: Dataset) -> tuple[torch.Tensor, ...]:
    """All pictures of a split, what is drawn for their conditions, and the masks of both."""
    parts = []
    for start in range(0, len(data), 64):
        batch = data.batch_with(range(start, min(start + 64, len(data))), model.needs)
        picture, mask = model.drawn(model.condition(batch.facts["class"], batch.facts["view"]))
        parts.append((batch.image, picture, mask, batch.facts["mask"][:, None].float()))
    return tuple(torch.cat(part) for part in zip(*parts, strict=True))


def neighbours(seen: Dataset, unseen: Dataset) -> tuple[torch.Tensor, torch.Tensor]:
    """Of each held-out view: the nearest training view of that chair and elevation, and both neighbours weighted by their nearness."""
    known, wanted = seen.truth(range(len(seen))), unseen.truth(range(len(unseen)))
    assert known and wanted
    nearest, blend = [], []
    for one, (azimuth, elevation) in zip(wanted.scene["class"], wanted.scene["view"], strict=True):
        level = (known.scene["view"][:, 1] - elevation).abs() < 1e-4
        rows = ((known.scene["class"] == one) & level).nonzero()[:, 0]
        away = (known.scene["view"][rows, 0] - azimuth + math.pi) % (2 * math.pi) - math.pi
        before = rows[torch.where(away < 0, away, -math.inf).argmax()], -away[away < 0].max()
        after = rows[torch.where(away > 0, away, math.inf).argmin()], away[away > 0].min()
        pair = seen.batch([int(before[0]), int(after[0])]).image
        share = before[1] / (before[1] + after[1])
        nearest.append(
            pair[0] if share < 0.5 else pair[1] if share > 0.5 else pair[int(torch.randint(2, ()))]
        )
        blend.append((1 - share) * pair[0] + share * pair[1])
    return torch.stack(nearest), torch.stack(blend)


def shifts(model: ConditionalGenerator, unseen: Dataset, count: int = 128) -> float:
    """Of the drawn mask's middle, down and to the right, between the condition shifted and not."""
    batch = unseen.batch_with(range(count), model.needs)
    asked = torch.zeros(count, NUMBERS)
    asked[:, :2] = (
        2 * torch.rand(count, 2, generator=torch.Generator().manual_seed(0)) - 1
    ) * model.config.shift
    still, moved = (
        middle(model.drawn(model.condition(batch.facts["class"], batch.facts["view"], one))[1])
        for one in (0 * asked, asked)
    )
    wrong = (moved - still - asked[:, :2]).square().sum()
    return float(1 - wrong / (asked[:, :2] - asked[:, :2].mean(0)).square().sum())


def middle(mask: torch.Tensor) -> torch.Tensor:
    """(row, column) in [-1, 1]."""
    rows, columns = (torch.linspace(-1, 1, side) for side in mask.shape[-2:])
    total = mask.sum((1, 2, 3))
    return torch.stack(
        [(mask.sum((1, 3)) * rows).sum(1) / total, (mask.sum((1, 2)) * columns).sum(1) / total], 1
    )


def morphs(model: ConditionalGenerator, pairs: int = 40, steps: int = 9) -> float:
    """From chair to chair at one view: the mask's likeness to the first only falls, and to the second only rises."""
    view, kept = torch.tensor([[0.7, 0.5]]).expand(steps, 2), 0
    share = torch.linspace(0, 1, steps)[:, None]
    for first in range(pairs):
        ends = model.condition(
            torch.tensor([first % model.config.classes, (7 * first + 3) % model.config.classes]), view[:2]
        )
        blend = replace(
            ends,
            weights=(1 - share) * ends.weights[:1] + share * ends.weights[1:],
            view=view,
            transform=torch.zeros(steps, NUMBERS),
        )
        mask = model.drawn(blend)[1].flatten(1)
        like = [
            torch.minimum(mask, mask[end]).sum(1) / torch.maximum(mask, mask[end]).sum(1) for end in (0, -1)
        ]
        kept += bool((like[0].diff() <= 1e-3).all() and (like[1].diff() >= -1e-3).all())
    return kept / pairs


def descents(model: ConditionalGenerator, unseen: Dataset, count: int = 24) -> float:
    batch = unseen.batch_with(range(count), model.needs)
    told = model.decode(model.condition(batch.facts["class"], batch.facts["view"]))
    return float(
        (model.decode(model.encode(batch.image)) - batch.image).square().mean()
        / (told - batch.image).square().mean()
    )


def picture(model: ConditionalGenerator, seen: Dataset, unseen: Dataset) -> Pictures.Image:
    """Three chairs: truth, drawn, nearest and blend at views never seen; then a walk around, a blend of chairs, and transforms."""
    image, drawn, mask, _ = drawn_views(model, unseen)
    nearest, blend = neighbours(seen, unseen)
    labels = unseen.truth(range(len(unseen))).scene["class"]  # type: ignore[union-attr]
    chosen = [int((labels == one).nonzero()[0, 0]) for one in labels.unique()[:8]]
    rows = [one[chosen] for one in (image, drawn, mask.expand(-1, 3, -1, -1), nearest, blend)]
    turn = torch.stack([torch.linspace(0, 2 * math.pi * 7 / 8, 8), torch.full((8,), math.radians(30.0))], 1)
    rows.append(model.decode(model.condition(torch.full((8,), int(labels[chosen[0]])), turn)))
    ends = model.condition(labels[[chosen[0], chosen[2]]], turn[:2])
    share = torch.linspace(0, 1, 8)[:, None]
    view = torch.tensor([[0.7, 0.5]]).expand(8, 2)
    walk = replace(
        ends,
        weights=(1 - share) * ends.weights[:1] + share * ends.weights[1:],
        view=view,
        transform=torch.zeros(8, NUMBERS),
    )
    rows.append(model.decode(walk))
    moves = torch.tensor(
        np.array(
            [
                [-1, 0, 0, 0, 0],
                [1, 0, 0, 0, 0],
                [0, -1, 0, 0, 0],
                [0, 1, 0, 0, 0],
                [0, 0, 1, 0, 0],
                [0, 0, -1, 0, 0],
                [0, 0, 0, 1, 0],
                [0, 0, 0, 0, -1],
            ]
        )
    )
    rows.append(
        model.decode(
            model.condition(torch.full((8,), int(labels[chosen[1]])), view, moves.float() * model.reach)
        )
    )
    return sheet([[to_picture(one, 96) for one in row] for row in rows])
