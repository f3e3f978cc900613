"""CPU seconds and memory of one training step, ours beside the 2022 way, each in fresh processes by turns, one thread, float32.

    python benchmarks/step_time.py [--steps 4] [--rounds 3] [--only dlp-shapes]

The last columns are the limit: the arithmetic of the published layers (convolutions and linear layers, forward once and twice
backward) over the step's time, as a share of what one large convolution reaches on the same core in the same process. Ours does
less arithmetic than that (a bilinear doubling goes behind its convolution, motes/nn/lean.py), so that the share may exceed one.
"""

import argparse
import datetime
import json
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

CASES = {"dlp-shapes": (32, 64, 1.02), "dlp-clevrer": (8, 128, 4.82)}  # batch, side, GFLOP a picture forward


def measure(side_of: str, case: str, steps: int) -> None:
    """In a process of its own: print seconds a step, memory above the imports, and the large convolution's rate."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    batch, side, _ = CASES[case]
    step = ours(case) if side_of == "ours" else theirs(case)
    image = torch.rand(batch, 3, side, side)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(2):  # memory is first touched, kernels are chosen
        step(image)
    taken = []
    for _ in range(steps):
        began = time.process_time()
        step(image)
        taken.append(time.process_time() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": statistics.median(taken), "memory": (peak - before) / 1e6, "rate": large_convolution()}))


def ours(case: str):
    import torch

    from motes.models.dlp import Config, DeepLatentParticles
    from motes.ops.types import Batch
    from motes.training.presets import PRESETS

    recipe = PRESETS[case].recipe
    side = CASES[case][1]
    settings = {**recipe.model_config, "image_size": (side, side), "reconstruction": "mse"}
    model = DeepLatentParticles(Config(**settings)).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-4, eps=1e-4, fused=True)

    def step(image):
        losses = model.loss(Batch(image, torch.arange(len(image))))
        losses.total.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)  # at once, as the training loop does

    return step


def theirs(case: str):
    import torch

    sys.path.insert(0, str(Path(__file__).parent))
    from reference_2022 import CLEVRER, SHAPES, Reference

    model = Reference(SHAPES if case == "dlp-shapes" else CLEVRER).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-4, eps=1e-4)

    def step(image):
        loss = model.loss(image)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def large_convolution() -> float:
    """GFLOP a second of 3x3, 256 to 256 channels, at 32 px."""
    import torch

    x, layer = torch.rand(8, 256, 32, 32), torch.nn.Conv2d(256, 256, 3, padding=1)
    with torch.no_grad():
        layer(x)
        began = time.process_time()
        for _ in range(3):
            layer(x)
    return 3 * 2 * 8 * 32 * 32 * 256 * 256 * 9 / (time.process_time() - began) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=CASES)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.measure:
        measure(*told.measure, told.steps)
        return
    print(
        f"{datetime.date.today()}, {platform.processor() or platform.machine()}, one thread, float32, CPU seconds, median of {told.rounds} rounds"
    )
    print(
        "| step | 2022 way | ours | ratio | 2022 way GB | ours GB | ratio | GFLOP/s | of one large convolution |\n|---|---|---|---|---|---|---|---|---|"
    )
    for case, (batch, _, work) in CASES.items():
        if told.only not in (None, case):
            continue
        rounds = [{side: run(side, case, told.steps) for side in ("theirs", "ours")} for _ in range(told.rounds)]
        them, us = (
            {key: statistics.median(one[side][key] for one in rounds) for key in ("seconds", "memory", "rate")}
            for side in ("theirs", "ours")
        )
        reached = 3 * work * batch / us["seconds"]
        times = f"{them['seconds']:.2f} | {us['seconds']:.2f} | {us['seconds'] / them['seconds']:.2f}"
        memory = f"{them['memory']:.2f} | {us['memory']:.2f} | {us['memory'] / them['memory']:.2f}"
        print(f"| {case}, batch {batch} | {times} | {memory} | {reached:.0f} | {reached / us['rate']:.0%} |", flush=True)


def run(side: str, case: str, steps: int) -> dict[str, float]:
    import os

    command = [sys.executable, __file__, "--measure", side, case, "--steps", str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
