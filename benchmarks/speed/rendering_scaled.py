"""What a scale for each particle costs: render_scaled against render, forward and backward.

    python benchmarks/speed/rendering_scaled.py [--rounds 9]

CPU milliseconds of one thread, by turns in one process: windows of one size (`render`), the same pictures by
`render_scaled` at scale 1, and with scales of both axes from 0.5 to 2.5, evenly in the logarithm. Then, in a process
each, the memory above the inputs, and what autograd keeps beside them.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.clocks import Figures, by_turns, cpu_seconds, in_own_process, peak_memory
from benchmarks.report import Table, header, parser

if TYPE_CHECKING:
    from torch import Tensor

# pictures of a batch, particles, side of a picture, side of a glimpse
SIZES = ((32, 10, 64, 16), (32, 25, 128, 32))
VARIANTS = {"one size": None, "scale 1": (1.0, 1.0), "scales 0.5 to 2.5": (0.5, 2.5)}
COLUMNS = ("batch", "K", "px", "S", "variant", "ms", "ratio", "keeps MB", "uses at most MB")


def main() -> None:
    arguments_parser = parser(__doc__, rounds=9)
    # the child's: variant, batch, K, px, S
    arguments_parser.add_argument("--measure", nargs=5, help=argparse.SUPPRESS)
    arguments = arguments_parser.parse_args()
    if arguments.measure:
        variant, *size = arguments.measure
        sizes = tuple(map(int, size))
        print(json.dumps(memory(variant, sizes) if variant in VARIANTS else seconds(sizes, arguments.rounds)))
        return
    header("CPU milliseconds of rendering, forward and backward", "float32", threads=1)
    table = Table(COLUMNS, arguments.format)
    # by children only: one that is started by a large process counts its parent's memory
    for size in SIZES:
        timed = in_own_process(__file__, "--measure", "all", *size, "--rounds", arguments.rounds)
        for variant, cost in timed.items():
            ratio = cost / timed["one size"]
            needed = in_own_process(__file__, "--measure", variant, *size)
            megabytes = (f"{needed['kept']:.1f}", f"{needed['memory']:.0f}")
            table.row(*size, variant, f"{1000 * cost:.1f}", f"{ratio:.2f}", *megabytes)


def seconds(size: tuple[int, ...], rounds: int) -> Figures:
    """Of each variant."""
    import torch

    torch.set_num_threads(1)

    def measured(variant: str) -> Callable[[], Figures]:
        forward, inputs, weight = rendering(variant, size)

        def work() -> None:
            torch.autograd.grad(forward(), inputs, weight)

        work()
        return lambda: {"seconds": cpu_seconds(work)}

    figures = by_turns({variant: measured(variant) for variant in VARIANTS}, rounds)
    return {variant: cost["seconds"] for variant, cost in figures.items()}


def memory(variant: str, size: tuple[int, ...]) -> Figures:
    """In a process of its own."""
    import torch

    from benchmarks.speed.rendering_alone import kept_for_backward

    torch.set_num_threads(1)
    forward, inputs, weight = rendering(variant, size)
    before = peak_memory()
    forward().backward(weight)
    used = (peak_memory() - before) / 1e3
    return {"kept": kept_for_backward(forward, tuple(inputs))[1], "memory": used}


def rendering(variant: str, size: tuple[int, ...]) -> tuple[Callable[[], "Tensor"], list["Tensor"], "Tensor"]:
    """What renders the picture, its inputs, and a gradient for it."""
    import torch

    from motes.ops.rendering.composite import render
    from motes.ops.rendering.composite_scaled import render_scaled

    batch, count, side, glimpse = size
    torch.manual_seed(0)
    glimpses = torch.rand(batch, count, 4, glimpse, glimpse).requires_grad_()
    position = (torch.rand(batch, count, 2) * 1.8 - 0.9).requires_grad_()
    presence = torch.rand(batch, count).requires_grad_()
    background = torch.rand(batch, 3, side, side).requires_grad_()
    weight = torch.rand(batch, 3, side, side)
    inputs = [glimpses, position, presence, background]
    paint = render
    if VARIANTS[variant]:
        low, high = (torch.tensor(end).log() for end in VARIANTS[variant])
        scale = torch.exp(low + (high - low) * torch.rand(batch, count, 2)).requires_grad_()
        inputs.insert(2, scale)
        paint = render_scaled
    return lambda: paint(*inputs), inputs, weight


if __name__ == "__main__":
    main()
