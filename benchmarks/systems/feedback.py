"""The feedback loop on depth pictures of an arm: against its own guess, against an updater of plain squares, against descent.

Errors are mean distances of joints in half pictures, over the test split. Descent lowers the squared error between picture and drawing
from the same guess by Adam; its rate is the best of several on pictures of the validation split, for as many steps as it is given.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from bar import Bar
from runs import finished

from motes.apps import draw
from motes.data.base import Split
from motes.models.checkpoint import load
from motes.ops.types import Batch, Code
from motes.training import loop
from motes.training.presets import PRESETS

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
RATES, LONG, TUNED_ON, FAR = (0.001, 0.003, 0.01, 0.03, 0.1), 100, 200, 0.35
PICTURE = Path(__file__).parents[2] / "docs" / "family" / "feedback.png"


def measure(seed: int, folder: Path) -> dict[str, float]:
    model, rival = (trained(folder / name, seed, name) for name in ("contraction", "squares"))
    tuning, test = (pictures(split, count) for split, count in (("validation", TUNED_ON), ("test", None)))
    found = {
        **iterations(model, test),
        **{f"squares_{name}": value for name, value in iterations(rival, test).items()},
    }
    found |= {"share": found["two"] / found["guess"], "over_squares": found["four"] / found["squares_four"]}
    with torch.no_grad():
        start = model.guess(test.image)
        updates = seconds(lambda: model.refine(test.image, start, 2))
    steps = max(int(10 * updates / seconds(lambda: descend(model, test, 10, RATES[0]))), 1)
    found |= {
        "steps": steps,
        "descent": descended(model, tuning, test, steps),
        "descent_long": descended(model, tuning, test, LONG),
    }
    if seed == 0:
        save(model, test)
    return {**found, "over_descent": found["two"] / found["descent"]}


def pictures(split: Split, count: int | None) -> Batch:
    data = loop.open_data(PRESETS["feedback-arm"].recipe, split)
    return data.batch_with(range(count or len(data)), ("points",))


def trained(folder: Path, seed: int, update_loss: str) -> Any:
    recipe = PRESETS["feedback-arm"].recipe
    training = replace(recipe.training, seed=seed, max_minutes=0.0)
    recipe = replace(
        recipe, model_config={**recipe.model_config, "update_loss": update_loss}, training=training
    )
    return load(finished(recipe, folder)).eval()


def iterations(model: Any, batch: Batch) -> dict[str, float]:
    wanted = batch.facts["points"].flatten(1)
    away = wanted + FAR * torch.randn(wanted.shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        guess = model.guess(batch.image)
        found = {
            name: joint_error(model.refine(batch.image, guess, n), wanted)
            for name, n in (("guess", 0), ("one", 1), ("two", 2))
        }
        found["four"] = joint_error(model.refine(batch.image, guess, 4), wanted)
        return {
            **found,
            "far": joint_error(model.refine(batch.image, away, 2), wanted) / joint_error(away, wanted),
        }


def descended(model: Any, tuning: Batch, test: Batch, steps: int) -> float:
    error = {
        rate: joint_error(descend(model, tuning, steps, rate), tuning.facts["points"].flatten(1))
        for rate in RATES
    }
    return joint_error(
        descend(model, test, steps, min(error, key=error.__getitem__)), test.facts["points"].flatten(1)
    )


def descend(model: Any, batch: Batch, steps: int, rate: float) -> torch.Tensor:
    with torch.no_grad():
        pose = model.guess(batch.image)
    pose.requires_grad_()
    optimizer = torch.optim.Adam([pose], lr=rate, betas=(0.9, 0.99))
    for _ in range(steps):
        error = (model.decode(Code(pose)) - batch.image).square().sum()
        pose.grad = torch.autograd.grad(error, pose)[0]
        optimizer.step()
    return pose.detach()


def joint_error(pose: torch.Tensor, wanted: torch.Tensor) -> float:
    return (pose - wanted).unflatten(1, (-1, 2)).norm(dim=2).mean().item()


def seconds(run: Callable[[], Any]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def save(model: Any, batch: Batch, count: int = 8) -> None:
    """The pictures with the joints as they are; then what is drawn of the guess and of each update, with its joints."""
    image = batch.image[:count]
    with torch.no_grad():
        guess = model.guess(image)
        poses = [model.refine(image, guess, n) for n in range(3)]
        drawn = [model.decode(Code(pose)) for pose in poses]
    rows = [
        (image, batch.facts["points"][:count]),
        *((one, pose.unflatten(1, (-1, 2))) for one, pose in zip(drawn, poses, strict=True)),
    ]
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    draw.sheet(
        [[draw.with_points(one, points, 96) for one, points in zip(*row, strict=True)] for row in rows]
    ).save(PICTURE, optimize=True)
