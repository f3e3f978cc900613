"""One training step of any preset on its own data, in float32
and in bfloat16, each in fresh processes by turns.

    python benchmarks/speed/preset_step.py dlp-scenes ddlp-balls [--rounds 3] [--steps 10]
    python benchmarks/speed/preset_step.py ddlp-obj3d --data rolling --device cuda --model.reconstruction mse

The step is that of the model's `loss`, which is its main stage, with the optimiser's step. On a processor it is
measured in CPU seconds of one thread, on a GPU in seconds of the wall clock. Options with a dot are those of
`motes train`.
"""

import argparse
import json
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.clocks import Figures, by_turns, in_own_process
from benchmarks.report import Table, header, parser
from benchmarks.speed.step_time import device_name
from motes.apps.cli.recipe import make_recipe
from motes.training.recipe import Recipe

PRECISIONS = ("fp32", "bf16")
COLUMNS = ("preset", "pictures", "fp32 ms", "bf16 ms", "ratio", "fp32 GB", "bf16 GB")


def main() -> None:
    arguments_parser = parser(__doc__, steps=10, rounds=3)
    arguments_parser.add_argument("presets", nargs="+")
    arguments_parser.add_argument("--data", help="instead of the preset's")
    arguments_parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    arguments_parser.add_argument("--measure", choices=PRECISIONS, help=argparse.SUPPRESS)  # the child's
    arguments, dotted = arguments_parser.parse_known_args()
    recipes = [recipe_of(preset, arguments.data, dotted) for preset in arguments.presets]
    if arguments.measure:
        print(json.dumps(measure(recipes[0], arguments)))
        return
    header(f"median of {arguments.rounds} rounds", threads=1, device=device_name(arguments.device))
    table = Table(COLUMNS, arguments.format)
    for preset, recipe in zip(arguments.presets, recipes, strict=True):
        table.row(preset, recipe.training.batch_size, *cells(preset, arguments, dotted))


def recipe_of(preset: str, data: str | None, dotted: list[str]) -> Recipe:
    asked = argparse.Namespace(
        preset=preset, data=data, dotted=dotted, out=None, steps=None, max_minutes=None, seed=None
    )
    return make_recipe(asked)[0]


def cells(preset: str, arguments: argparse.Namespace, dotted: list[str]) -> list[str]:
    options = ["--steps", arguments.steps, "--device", arguments.device, *dotted]
    options += ["--data", arguments.data] if arguments.data else []
    child = partial(in_own_process, __file__, preset, *options)
    variants = {precision: partial(child, "--measure", precision) for precision in PRECISIONS}
    measured = by_turns(variants, arguments.rounds)
    seconds = [measured[precision]["seconds"] for precision in PRECISIONS]
    memory = [measured[precision]["memory"] for precision in PRECISIONS]
    times = [f"{1000 * taken:.1f}" for taken in seconds]
    return [*times, f"{seconds[1] / seconds[0]:.2f}", *(f"{taken:.2f}" for taken in memory)]


def measure(recipe: Recipe, arguments: argparse.Namespace) -> Figures:
    """In a process of its own: seconds of a step and the memory above what was there before."""
    import torch

    from benchmarks.speed.training_step import cost, recipe_step
    from motes.training.memory import keep_freed_memory
    from motes.training.newborn import newborn
    from motes.training.schedule import window_of

    torch.set_num_threads(1)
    keep_freed_memory()
    data = recipe.data.open("train")
    model = newborn(recipe, data).to(arguments.device).train()
    size = recipe.training.batch_size
    batch = data.batch(range(size), model.needs, window_of(model, data, size)).to(arguments.device)
    step = recipe_step(model, batch, recipe.training, arguments.measure)
    return cost(lambda _: step(), batch.image, arguments.steps, warm_up=3)


if __name__ == "__main__":
    main()
