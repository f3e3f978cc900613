"""What more particles cost: one training step at K = 10
to 1,000, 128 and 256 px, batch 4, one thread, float32.

    python benchmarks/speed/particles_scale.py [--sides 128 256] [--counts 10 25 ...] [--steps 2]

Glimpses are of 32 px, or as the environment's GLIMPSE says. Three variants, each in fresh processes: the 2022
code's (a canvas for every particle), the same published architecture as motes computes it, and the
architecture whose parameters do not depend on K (`anchored`). CPU seconds of a step, memory above the
imports, and the share of the step that is rendering (cut, paste, stitch, forward and backward, timed alone on
the same shapes). Then rendering alone, by canvases and by windows, with what each keeps for the backward
pass. A dash: over the limits named in LIMITS, by memory or by minutes.
"""

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.clocks import Figures, cpu_seconds, in_own_process, median_cpu_seconds, peak_memory
from benchmarks.report import Table, header, parser

COUNTS = (10, 25, 50, 100, 200, 400, 1000)
BATCH = 4
GLIMPSE = int(os.environ.get("GLIMPSE", "32"))  # by the environment, which the processes that measure share
LIMITS = {
    ("2022", 128): 200,
    ("2022", 256): 50,
    ("published", 128): 400,
    ("published", 256): 100,
}  # largest K
STEP_COLUMNS = (
    "px",
    "K",
    "2022 code s",
    "GB",
    "published s",
    "GB",
    "rendering",
    "any K s",
    "GB",
    "rendering",
)
RENDERING_COLUMNS = (
    "rendering alone, px",
    "K",
    "canvases ms",
    "windows ms",
    "ratio",
    "canvases keep MB",
    "windows keep MB",
    "windows use at most MB",
)


def main() -> None:
    arguments_parser = parser(__doc__, steps=2)
    arguments_parser.add_argument("--sides", type=int, nargs="+", default=[128, 256], help="of the pictures")
    arguments_parser.add_argument("--counts", type=int, nargs="+", default=list(COUNTS), help="of particles")
    arguments_parser.add_argument(
        "--measure", nargs=3, help=argparse.SUPPRESS
    )  # the child's: variant, side, count
    arguments = arguments_parser.parse_args()
    if arguments.measure:
        variant, side, count = arguments.measure
        print(json.dumps(measure_variant(variant, int(side), int(count), arguments.steps)))
        return
    header("CPU seconds of a step", "float32", f"batch {BATCH}", f"glimpses of {GLIMPSE} px", threads=1)
    sizes = [(side, count) for side in arguments.sides for count in arguments.counts]
    table = Table(STEP_COLUMNS, arguments.format)
    for size in sizes:
        cells = [
            cell
            for variant in ("2022", "published", "anchored")
            for cell in step_cells(variant, size, arguments.steps)
        ]
        table.row(*size, *cells)
    print()
    table = Table(RENDERING_COLUMNS, arguments.format)
    for size in sizes:
        table.row(*size, *rendering_cells(size, arguments.steps))


def measured(variant: str, size: tuple[int, int], steps: int) -> Figures:
    return in_own_process(__file__, "--measure", variant, *size, "--steps", steps)


def step_cells(variant: str, size: tuple[int, int], steps: int) -> list[str]:
    side, count = size
    if count > LIMITS.get((variant, side), 10**9):
        return ["-"] * (2 if variant == "2022" else 3)
    figures = measured(variant, size, steps)
    cells = [f"{figures['seconds']:.2f}", f"{figures['memory']:.2f}"]
    if variant == "2022":
        return cells
    rendering_seconds = measured("render-windows", size, steps)["seconds"]
    return [*cells, f"{rendering_seconds / figures['seconds']:.0%}"]


def rendering_cells(size: tuple[int, int], steps: int) -> list[str]:
    side, count = size
    windows = measured("render-windows", size, steps)
    milliseconds = f"{1000 * windows['seconds']:.1f}"
    memory = (f"{windows['kept']:.1f}", f"{1000 * windows['memory']:.0f}")
    if count > LIMITS["2022", side if side in (128, 256) else 256]:
        return ["-", milliseconds, "-", "-", *memory]
    canvases = measured("render-canvases", size, steps)
    ratio = f"{canvases['seconds'] / windows['seconds']:.0f}"
    return [f"{1000 * canvases['seconds']:.0f}", milliseconds, ratio, f"{canvases['kept']:.1f}", *memory]


def measure_variant(variant: str, side: int, count: int, steps: int) -> Figures:
    """In a process of its own."""
    import torch

    from benchmarks.speed.reference_2022 import CLEVRER
    from benchmarks.speed.training_step import cost, motes_step, reference_step

    torch.set_num_threads(1)
    torch.manual_seed(0)
    if variant.startswith("render"):
        return measure_rendering(variant == "render-windows", side, count, steps)
    if variant == "2022":
        step = reference_step(replace(CLEVRER, side=side, particles=count))
    else:
        step = motes_step(model_config(variant, side, count))
    return cost(step, torch.rand(BATCH, 3, side, side), steps, warm_up=1)


def measure_rendering(windows: bool, side: int, count: int, steps: int) -> Figures:
    from benchmarks.speed.rendering_alone import rendering

    work, kept = rendering(windows, (BATCH, count, side, GLIMPSE))
    before = peak_memory()
    cpu_seconds(work)
    seconds = median_cpu_seconds(work, steps)
    return {"seconds": seconds, "memory": (peak_memory() - before) / 1e6, "kept": kept}


def model_config(architecture: str, side: int, count: int) -> dict[str, object]:
    from motes.training.presets import PRESETS

    config = {
        **PRESETS["dlp-clevrer"].recipe.model_config,
        "image_size": (side, side),
        "num_particles": count,
        "glimpse_size": GLIMPSE,
        "reconstruction": "mse",
    }
    if architecture == "published":
        return config
    # Patches small enough that there is one for each particle.
    patch = 8 if (side // 8) ** 2 >= count else 4
    proposals = min(count + 5, (side // patch) ** 2)
    return {**config, "architecture": "anchored", "patch_size": patch, "num_proposals": proposals}


if __name__ == "__main__":
    main()
