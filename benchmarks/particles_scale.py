"""What more particles cost: one training step at K = 10 to 1,000, 128 and 256 px, batch 4, one thread, float32; glimpses of 32 px, or as the environment's GLIMPSE says.

    python benchmarks/particles_scale.py [--sides 128 256] [--counts 10 25 ...] [--steps 2]

Three ways, each in fresh processes: the 2022 way (a canvas for every particle), the same published architecture as motes computes it,
and the architecture whose parameters know nothing of K (`anchored`). CPU seconds of a step, memory above the imports, and the share of
the step that is rendering (cut, paste, stitch, forward and backward, timed alone on the same shapes). Then rendering alone, both ways,
with what each keeps for the backward pass. A dash: over the limits named in LIMITS, by memory or by minutes.
"""

import argparse
import datetime
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

COUNTS = (10, 25, 50, 100, 200, 400, 1000)
BATCH = 4
GLIMPSE = int(os.environ.get("GLIMPSE", "32"))  # by the environment, which the processes that measure share
LIMITS = {
    ("2022", 128): 200,
    ("2022", 256): 50,
    ("published", 128): 400,
    ("published", 256): 100,
}  # largest K


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sides", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--counts", type=int, nargs="+", default=list(COUNTS))
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.measure:
        way, side, count = told.measure
        print(json.dumps(measure(way, int(side), int(count), told.steps)))
        return
    print(
        f"{datetime.date.today()}, {platform.machine()}, one thread, float32, batch {BATCH}, glimpses of {GLIMPSE} px, CPU seconds\n"
    )
    print(
        "| px | K | 2022 way s | GB | published s | GB | rendering | any K s | GB | rendering |\n|"
        + "---|" * 10
    )
    for side in told.sides:
        for count in told.counts:
            cells = [
                cell
                for way in ("2022", "published", "anchored")
                for cell in row(way, side, count, told.steps)
            ]
            print(f"| {side} | {count} | " + " | ".join(cells) + " |", flush=True)
    print(
        "\n| rendering alone, px | K | canvases ms | windows ms | ratio | canvases keep MB | windows keep MB | windows use at most MB |\n|"
        + "---|" * 8
    )
    for side in told.sides:
        for count in told.counts:
            windows = run("render-windows", side, count, told.steps)
            affordable = count <= LIMITS["2022", side if side in (128, 256) else 256]
            canvases = run("render-canvases", side, count, told.steps) if affordable else None
            print(f"| {side} | {count} | " + " | ".join(compared(canvases, windows)) + " |", flush=True)


def row(way: str, side: int, count: int, steps: int) -> list[str]:
    if count > LIMITS.get((way, side), 10**9):
        return ["-"] * (2 if way == "2022" else 3)
    found = run(way, side, count, steps)
    cells = [f"{found['seconds']:.2f}", f"{found['memory']:.2f}"]
    return (
        cells
        if way == "2022"
        else [*cells, f"{run('render-windows', side, count, steps)['seconds'] / found['seconds']:.0%}"]
    )


def compared(canvases: dict[str, float] | None, windows: dict[str, float]) -> list[str]:
    time_, kept, most = (
        f"{1000 * windows['seconds']:.1f}",
        f"{windows['kept']:.1f}",
        f"{1000 * windows['memory']:.0f}",
    )
    if canvases is None:
        return ["-", time_, "-", "-", kept, most]
    ratio = f"{canvases['seconds'] / windows['seconds']:.0f}"
    return [f"{1000 * canvases['seconds']:.0f}", time_, ratio, f"{canvases['kept']:.1f}", kept, most]


def run(way: str, side: int, count: int, steps: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--measure", way, str(side), str(count), "--steps", str(steps)]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def measure(way: str, side: int, count: int, steps: int) -> dict[str, float]:
    """In a process of its own."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    if way.startswith("render"):
        step, kept = rendering(way == "render-windows", side, count)
    else:
        step, kept = {"2022": research, "published": ours, "anchored": ours}[way](way, side, count), 0.0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step()
    taken = []
    for _ in range(steps):
        began = time.process_time()
        step()
        taken.append(time.process_time() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": statistics.median(taken), "memory": (peak - before) / 1e6, "kept": kept}


def research(way: str, side: int, count: int) -> Callable[[], None]:
    import torch

    sys.path.insert(0, str(Path(__file__).parent))
    from reference_2022 import CLEVRER, Reference

    model = Reference(replace(CLEVRER, side=side, particles=count)).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-4, eps=1e-4)
    image = torch.rand(BATCH, 3, side, side)

    def step() -> None:
        loss = model.loss(image)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def ours(way: str, side: int, count: int) -> Callable[[], None]:
    import torch

    from motes.models.particles.dlp import DeepLatentParticles, DlpConfig
    from motes.training.presets import PRESETS
    from motes.types.batch import Batch

    settings = {
        **PRESETS["dlp-clevrer"].recipe.model_config,
        "image_size": (side, side),
        "num_particles": count,
        "glimpse_size": GLIMPSE,
        "reconstruction": "mse",
    }
    if way == "anchored":  # patches small enough that there is one for each particle
        patch = 8 if (side // 8) ** 2 >= count else 4
        settings |= {
            "architecture": "anchored",
            "patch_size": patch,
            "num_proposals": min(count + 5, (side // patch) ** 2),
        }
    model = DeepLatentParticles(DlpConfig(**settings)).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-4, fused=True)
    batch = Batch(torch.rand(BATCH, 3, side, side), torch.arange(BATCH))

    def step() -> None:
        losses = model.loss(batch)
        losses.total.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)  # at once, as the training loop does

    return step


def rendering(windowed: bool, side: int, count: int) -> tuple[Callable[[], None], float]:
    """Cut at fixed places, paste and stitch, forward and backward; and the megabytes that autograd keeps beside the inputs."""
    import torch

    from motes.ops.rendering import canvas
    from motes.ops.rendering.composite import render
    from motes.ops.rendering.glimpse import cut_glimpses

    size = (side, side)
    glimpses = torch.rand(BATCH, count, GLIMPSE, GLIMPSE, 4).permute(0, 1, 4, 2, 3).requires_grad_()
    position, presence = (
        (torch.rand(BATCH, count, 2) * 1.8 - 0.9).requires_grad_(),
        torch.rand(BATCH, count).requires_grad_(),
    )
    image, background = torch.rand(BATCH, 3, *size), torch.rand(BATCH, 3, *size).requires_grad_()
    inputs = (glimpses, position, presence, background)

    def forward() -> torch.Tensor:
        if windowed:
            cut_glimpses(image, position.detach(), GLIMPSE)
            return render(*inputs)
        canvas.cut_windows(image, position.detach(), GLIMPSE)
        return canvas.stitch(canvas.paste(glimpses, position, size).clamp(0, 1), presence, background)

    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        picture = forward()
    for one in inputs:
        kept.pop(one.untyped_storage().data_ptr(), None)
    weight = torch.rand_like(picture)
    return lambda: forward().backward(weight), sum(kept.values()) / 1e6


if __name__ == "__main__":
    main()
