"""The feedback loop on depth pictures of an arm: against its
own guess, against an updater of plain squares, against descent.

Errors are mean distances of joints in half pictures, over the test split. Descent lowers the squared error
between picture and drawing from the same guess by Adam; its rate is the best of several on pictures of the
validation split, for as many steps as it is given.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.clocks import cpu_seconds
from benchmarks.systems.system import Bar, Figures, changed, save_page_picture, trained
from motes.apps.drawing.marks import sheet, with_points
from motes.data.base import Split
from motes.training.presets import PRESETS
from motes.training.recipe import Recipe
from motes.types.batch import Batch
from motes.types.latents import Code

BARS = [
    Bar("guess", "joint error of the predictor"),
    Bar("one", "after one update"),
    Bar("two", "after two updates"),
    Bar("four", "after four updates"),
    Bar("share", "two updates / the predictor", "<=", 0.7),
    Bar(
        "far",
        "from far starts (deviation 0.35): two updates / the start; twice contracted by 0.6 is 0.36",
        "<=",
        0.36,
    ),
    Bar("squares_guess", "joint error of the predictor that the updater of plain squares starts from"),
    Bar("squares_two", "updater of plain squares, two updates"),
    Bar("squares_four", "updater of plain squares, four updates"),
    Bar("squares_far", "updater of plain squares, from far starts: two updates / the start"),
    Bar("over_squares", "four updates, contraction / plain squares", "<=", 1.0),
    Bar("steps", "steps of descent that take as long as two updates"),
    Bar("descent", "descent of the rendering error from the guess, for as long as two updates"),
    Bar("over_descent", "two updates / descent for as long", "<=", 1.0),
    Bar("descent_long", "descent of the rendering error from the guess, 100 steps"),
]
RATES = (0.001, 0.003, 0.01, 0.03, 0.1)
LONG = 100  # steps
TUNED_ON = 200  # pictures of the validation split
FAR = 0.35  # deviation of far starts, in half pictures


def run(seed: int, folder: Path) -> Figures:
    model = trained(feedback_recipe(seed, "contraction"), folder / "contraction")
    rival = trained(feedback_recipe(seed, "squares"), folder / "squares")
    tuning = arm_pictures("validation", TUNED_ON)
    test = arm_pictures("test")
    figures = update_figures(model, test)
    figures |= {f"squares_{name}": value for name, value in update_figures(rival, test).items()}
    figures["share"] = figures["two"] / figures["guess"]
    figures["over_squares"] = figures["four"] / figures["squares_four"]
    steps = steps_as_long(model, test)
    figures["steps"] = steps
    figures["descent"] = descent_error(model, tuning, test, steps)
    figures["descent_long"] = descent_error(model, tuning, test, LONG)
    figures["over_descent"] = figures["two"] / figures["descent"]
    if seed == 0:
        draw_updates(model, test)
    return figures


def feedback_recipe(seed: int, update_loss: str) -> Recipe:
    recipe = PRESETS["feedback-arm"].recipe
    training = replace(recipe.training, seed=seed, max_minutes=0.0)
    return changed(replace(recipe, training=training), update_loss=update_loss)


def arm_pictures(split: Split, count: int = 0) -> Batch:
    """The first pictures of a split; all without a count."""
    data = PRESETS["feedback-arm"].recipe.data.open(split)
    return data.batch(range(count or len(data)), ("points",))


@torch.no_grad()
def update_figures(model: Any, batch: Batch) -> Figures:
    target = batch.labels["points"].flatten(1)
    far = target + FAR * torch.randn(target.shape, generator=torch.Generator().manual_seed(0))
    guess = model.guess(batch.image)
    figures = {
        name: joint_error(model.refine(batch.image, guess, updates), target)
        for name, updates in (("guess", 0), ("one", 1), ("two", 2), ("four", 4))
    }
    figures["far"] = joint_error(model.refine(batch.image, far, 2), target) / joint_error(far, target)
    return figures


def steps_as_long(model: Any, test: Batch) -> int:
    """Steps of descent that take as long as two updates."""
    with torch.no_grad():
        guess = model.guess(test.image)
        updates = cpu_seconds(lambda: model.refine(test.image, guess, 2))
    ten_steps = cpu_seconds(lambda: descend(model, test, 10, RATES[0]))
    return max(int(10 * updates / ten_steps), 1)


def descent_error(model: Any, tuning: Batch, test: Batch, steps: int) -> float:
    target = tuning.labels["points"].flatten(1)
    errors = {rate: joint_error(descend(model, tuning, steps, rate), target) for rate in RATES}
    best = min(errors, key=errors.__getitem__)
    return joint_error(descend(model, test, steps, best), test.labels["points"].flatten(1))


def descend(model: Any, batch: Batch, steps: int, rate: float) -> Tensor:
    with torch.no_grad():
        pose = model.guess(batch.image)
    pose.requires_grad_()
    optimizer = torch.optim.Adam([pose], lr=rate, betas=(0.9, 0.99))
    for _ in range(steps):
        error = (model.decode(Code(pose)) - batch.image).square().sum()
        pose.grad = torch.autograd.grad(error, pose)[0]
        optimizer.step()
    return pose.detach()


def joint_error(pose: Tensor, target: Tensor) -> float:
    return (pose - target).unflatten(1, (-1, 2)).norm(dim=2).mean().item()


def draw_updates(model: Any, batch: Batch, count: int = 8) -> None:
    """The pictures with the joints as they are; then what is
    drawn of the guess and of each update, with its joints.
    """
    image = batch.image[:count]
    with torch.no_grad():
        guess = model.guess(image)
        poses = [model.refine(image, guess, updates) for updates in range(3)]
        drawn = [model.decode(Code(pose)) for pose in poses]
    rows = [(image, batch.labels["points"][:count])]
    rows += [(picture, pose.unflatten(1, (-1, 2))) for picture, pose in zip(drawn, poses, strict=True)]
    pictures = [
        [with_points(picture, points, 96) for picture, points in zip(*row, strict=True)] for row in rows
    ]
    save_page_picture(sheet(pictures), "feedback")
