"""CPU milliseconds of a particle model's training step and of encoding, side by side, each in fresh processes
by turns, one thread.

    python benchmarks/speed/particles_step.py [--rounds 5] [--steps 15] [--against another/checkout]

The first table is the main stage's step of the quick presets, as the training loop takes it, in float32 and in
bfloat16, and beside it that of another checkout of this repository (`--against`, such as a `git worktree` of an
older commit). Its last columns are the limit: the arithmetic of all convolutions and linear layers, forward
once and twice backward, over the step's time, as a share of what one large convolution reaches in the same
process. The second table is encoding by the published networks, beside the 2022 code's (`reference_2022.py`).
"""

import argparse
import contextlib
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.clocks import Figures, by_turns, cpu_seconds, in_own_process, median_cpu_seconds  # noqa: E402
from benchmarks.report import Table, header, parser  # noqa: E402

STEPS = {"dlp-quick": 32, "dlp-scenes": 32}  # preset: pictures of a step
ENCODINGS = ("dlp-shapes", "dlp-clevrer")
PICTURES = (1, 32)
STEP_COLUMNS = ("step", "ms", "other checkout", "ratio", "bf16", "ratio", "GFLOP", "of one large convolution")
ENCODE_COLUMNS = ("encode", "pictures", "2022 code ms", "ours", "ratio", "with certainty", "ratio")


def main() -> None:
    arguments_parser = parser(__doc__, steps=15, rounds=5)
    arguments_parser.add_argument("--against", type=Path, help="another checkout of this repository")
    arguments_parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)  # the child's
    arguments = arguments_parser.parse_args()
    if arguments.measure:
        what, case, *more = arguments.measure
        measure = measure_step if what == "step" else measure_encoding
        print(json.dumps(measure(case, *more, repeats=arguments.steps)))
        return
    header("CPU milliseconds", f"median of {arguments.rounds} rounds", threads=1)
    table = Table(STEP_COLUMNS, arguments.format)
    for preset, batch in STEPS.items():
        table.row(f"{preset}, batch {batch}", *step_cells(preset, arguments))
    print()
    table = Table(ENCODE_COLUMNS, arguments.format)
    for preset in ENCODINGS:
        for pictures in PICTURES:
            table.row(preset, pictures, *encoding_cells(preset, pictures, arguments))


def step_cells(preset: str, arguments: argparse.Namespace) -> list[str]:
    child = partial(in_own_process, __file__, "--steps", arguments.steps, "--measure", "step", preset)
    variants = {"fp32": partial(child, "fp32", ROOT), "bf16": partial(child, "bf16", ROOT)}
    if arguments.against:
        variants["other"] = partial(child, "fp32", arguments.against.resolve())
    measured = by_turns(variants, arguments.rounds)
    ours = measured["fp32"]
    compared = [milliseconds(ours)]
    for name in ("other", "bf16"):
        figures = measured.get(name)
        compared += [milliseconds(figures), ratio(ours, figures)] if figures else ["-", "-"]
    # of bfloat16 to float32, the other way round
    compared[-1] = ratio(measured["bf16"], ours)
    share = 3 * ours["work"] / ours["seconds"] / ours["rate"]
    return [*compared, f"{3 * ours['work']:.1f}", f"{share:.0%}"]


def encoding_cells(preset: str, pictures: int, arguments: argparse.Namespace) -> list[str]:
    child = partial(
        in_own_process, __file__, "--steps", arguments.steps, "--measure", "encode", preset, pictures
    )
    variants = {name: partial(child, name) for name in ("2022", "motes", "certainty")}
    measured = by_turns(variants, arguments.rounds)
    reference = measured["2022"]
    cells = [milliseconds(reference)]
    for name in ("motes", "certainty"):
        cells += [milliseconds(measured[name]), ratio(measured[name], reference)]
    return cells


def milliseconds(figures: Figures) -> str:
    return f"{1000 * figures['seconds']:.1f}"


def ratio(figures: Figures, reference: Figures) -> str:
    return f"{figures['seconds'] / reference['seconds']:.2f}"


def measure_step(preset: str, precision: str, checkout: str, repeats: int) -> Figures:
    """In a process of its own, with the motes of a checkout: seconds, GFLOP forward, the large convolution's
    rate."""
    sys.path.insert(0, checkout)
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    torch.set_num_threads(1)
    keep_freed_memory()
    model, batch, step = quick_step(preset, precision)
    with FlopCounterMode(display=False) as counter:
        model.loss(batch)
    # memory is first touched, kernels are chosen
    for _ in range(3):
        step()
    figures = {"seconds": median_cpu_seconds(step, repeats), "work": counter.get_total_flops() / 1e9}
    if checkout != str(ROOT):
        return figures | {"rate": 0.0}
    from benchmarks.speed.step_time import large_convolution

    return figures | {"rate": large_convolution("cpu", "fp32")}


def keep_freed_memory() -> None:
    """As the training loop does it, in checkouts where it does."""
    with contextlib.suppress(ImportError):
        from motes.training.memory import keep_freed_memory

        keep_freed_memory()


def quick_step(preset: str, precision: str) -> tuple[Any, Any, Callable[[], None]]:
    """The model, a batch, and a step of the main stage as the training loop takes it."""
    from benchmarks.speed.training_step import recipe_step
    from motes.training.newborn import newborn
    from motes.training.presets import PRESETS

    recipe = PRESETS[preset].recipe
    data = recipe.data.open("train")
    model = newborn(recipe, data).train()
    batch = data.batch(range(STEPS[preset]), model.needs, 1)
    return model, batch, recipe_step(model, batch, recipe.training, precision)


def measure_encoding(preset: str, pictures: str, author: str, repeats: int) -> Figures:
    """In a process of its own: seconds to encode so many pictures, and to read their certainty."""
    import torch

    from benchmarks.speed.reference_2022 import CLEVRER, SHAPES, Reference
    from motes.models.particles.dlp import DeepLatentParticles, DlpConfig
    from motes.training.presets import PRESETS

    torch.set_num_threads(1)
    sizes = SHAPES if preset == "dlp-shapes" else CLEVRER
    image = torch.rand(int(pictures), 3, sizes.side, sizes.side)
    config = {**PRESETS[preset].recipe.model_config, "image_size": (sizes.side,) * 2, "reconstruction": "mse"}
    model = (Reference(sizes) if author == "2022" else DeepLatentParticles(DlpConfig(**config))).eval()

    def encode() -> None:
        latent = model.encode(image)
        if author == "certainty":
            assert latent.certainty is not None

    with torch.no_grad():
        cpu_seconds(encode)
        return {"seconds": median_cpu_seconds(encode, repeats)}


if __name__ == "__main__":
    main()
