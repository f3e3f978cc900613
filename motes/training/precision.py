"""Settles the precision of a run whose recipe leaves it open, by measuring both on this machine.

A processor or GPU that multiplies bfloat16 numbers takes shorter steps with them; another one takes several
times as long.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import Literal

import torch
from accelerate import PartialState

from motes.errors import UserError
from motes.models.devices import device_named
from motes.ops.points.warp import paired
from motes.training.feeding import AllBatches
from motes.training.newborn import newborn
from motes.training.recipe import Recipe

Precision = Literal["fp32", "bf16"]
# steps in each precision, by turns; the first of each is not counted
STEPS = 4
# of a step's time in float32, below which bfloat16 is worth its rounding
WORTH = 0.95


def with_precision(recipe: Recipe, device: str | None = None) -> tuple[Recipe, str]:
    """The recipe with the quicker precision on this device where it says "auto", and a sentence about both."""
    device = device_named(device)
    if PartialState(cpu=device == "cpu").num_processes > 1:
        raise UserError("precision auto is measured in one process; for several choose fp32 or bf16")
    seconds = measured(_step(recipe, device), device)
    share = seconds["bf16"] / seconds["fp32"]
    precision = "bf16" if share < WORTH else "fp32"
    sentence = f"trains in {precision}: a step in bf16 takes {share:.2f} of one in fp32 here"
    return replace(recipe, training=replace(recipe.training, precision=precision)), sentence


def in_settled_precision(recipe: Recipe, device: str | None = None) -> Recipe:
    """The recipe; where its precision is "auto", with the quicker one."""
    return with_precision(recipe, device)[0] if recipe.training.precision == "auto" else recipe


def _step(recipe: Recipe, name: str) -> Callable[[], None]:
    """The loss of the first batch, forward and backward; the model is thrown away afterwards."""
    device = torch.device(name)
    data = recipe.data.open("train")
    model = newborn(recipe, data).to(device).train()
    batch = next(iter(AllBatches(data, recipe.training.batch_size, model.needs, device)))
    batch = paired(batch) if recipe.training.pairs else batch

    def step() -> None:
        total = model.loss(batch).total
        # some models learn nothing by gradients
        if total.requires_grad:
            total.backward()
        model.zero_grad(set_to_none=True)

    return step


def measured(step: Callable[[], None], device: str) -> dict[Precision, float]:
    """The median seconds of a step in each precision."""
    kind = torch.device(device).type
    seconds: dict[Precision, list[float]] = {"fp32": [], "bf16": []}
    for _ in range(STEPS):
        for precision, taken in seconds.items():
            start = _now(kind)
            with torch.autocast(kind, torch.bfloat16, enabled=precision == "bf16"):
                step()
            taken.append(_now(kind) - start)
    return {precision: median(taken[1:]) for precision, taken in seconds.items()}


def _now(kind: str) -> float:
    """CPU seconds, which others on the machine hardly change; on a GPU seconds once it has finished."""
    if kind == "cpu":
        return time.process_time()
    torch.accelerator.synchronize()
    return time.perf_counter()
