"""Seconds and memory of one training step, ours beside the 2022
code's, each in fresh processes by turns, one thread, float32.

    python benchmarks/speed/step_time.py [--steps 4] [--rounds 3] [--only dlp-shapes]
    python benchmarks/speed/step_time.py --device cuda [--precision bf16]

On a processor these are CPU seconds and memory above the imports; on a GPU seconds of the wall clock and
memory of tensors. With bf16 our step is computed as by `--training.precision bf16`; the 2022 code's stays
float32. The last columns are the limit: the arithmetic of the published layers (convolutions and linear
layers, forward once and twice backward) over the step's time, as a share of what one large convolution
reaches on the same device in the same process and precision. Ours does less arithmetic than that (a bilinear
doubling goes behind its convolution, motes/nn/blocks/lean.py), so that the share may exceed one.
"""

import argparse
import json
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.clocks import Figures, by_turns, in_own_process
from benchmarks.report import Table, header, parser, processor

CASES = {"dlp-shapes": (32, 64, 1.02), "dlp-clevrer": (8, 128, 4.82)}  # batch, side, GFLOP a picture forward
COLUMNS = (
    "step",
    "2022 code",
    "ours",
    "ratio",
    "2022 code GB",
    "ours GB",
    "ratio",
    "GFLOP/s",
    "of one large convolution",
)


def main() -> None:
    arguments_parser = parser(__doc__, steps=4, rounds=3)
    arguments_parser.add_argument("--only", choices=CASES)
    arguments_parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    arguments_parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32", help="of our step")
    arguments_parser.add_argument(
        "--measure", nargs=2, help=argparse.SUPPRESS
    )  # the child's: whose step, of which case
    arguments = arguments_parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure_step(arguments)))
        return
    clock = "CPU seconds" if arguments.device == "cpu" else "seconds"
    precisions = f"ours in {arguments.precision}, the 2022 code's in fp32"
    header(
        f"{clock} of a step",
        precisions,
        f"median of {arguments.rounds} rounds",
        threads=1,
        device=device_name(arguments.device),
    )
    table = Table(COLUMNS, arguments.format)
    for case in CASES:
        if arguments.only in (None, case):
            table.row(*case_cells(case, arguments))


def case_cells(case: str, arguments: argparse.Namespace) -> list[str]:
    options = ("--steps", arguments.steps, "--device", arguments.device, "--precision", arguments.precision)
    variants = {
        name: partial(in_own_process, __file__, "--measure", name, case, *options)
        for name in ("2022", "motes")
    }
    measured = by_turns(variants, arguments.rounds)
    reference = measured["2022"]
    ours = measured["motes"]
    batch, _, work = CASES[case]
    reached = 3 * work * batch / ours["seconds"]
    digits = 2 if arguments.device == "cpu" else 4
    times = (f"{figures['seconds']:.{digits}f}" for figures in (reference, ours))
    memory = (f"{figures['memory']:.2f}" for figures in (reference, ours))
    ratios = {name: f"{ours[name] / reference[name]:.2f}" for name in ("seconds", "memory")}
    limit = (f"{reached:.0f}", f"{reached / ours['rate']:.0%}")
    return [f"{case}, batch {batch}", *times, ratios["seconds"], *memory, ratios["memory"], *limit]


def measure_step(arguments: argparse.Namespace) -> Figures:
    """In a process of its own: seconds a step, memory, and the large convolution's rate."""
    import torch

    from benchmarks.speed.reference_2022 import CLEVRER, SHAPES
    from benchmarks.speed.training_step import cost, motes_step, reference_step
    from motes.training.presets import PRESETS

    torch.set_num_threads(1)
    torch.manual_seed(0)
    author, case = arguments.measure
    batch, side, _ = CASES[case]
    if author == "2022":
        step = reference_step(SHAPES if case == "dlp-shapes" else CLEVRER, arguments.device)
    else:
        config = {**PRESETS[case].recipe.model_config, "image_size": (side, side), "reconstruction": "mse"}
        step = motes_step(config, arguments.device, arguments.precision)
    image = torch.rand(batch, 3, side, side).to(arguments.device)
    # Two to warm up: memory is first touched, kernels are chosen.
    figures = cost(step, image, arguments.steps, warm_up=2)
    return {**figures, "rate": large_convolution(arguments.device, arguments.precision)}


def large_convolution(device: str, precision: str) -> float:
    """GFLOP a second of 3x3, 256 to 256 channels, at 32 px."""
    import torch

    from benchmarks.speed.training_step import seconds

    x = torch.rand(8, 256, 32, 32).to(device)
    layer = torch.nn.Conv2d(256, 256, 3, padding=1).to(device)
    repeats = 3 if device == "cpu" else 100
    with torch.no_grad(), torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
        layer(x)
        taken = seconds(lambda: [layer(x) for _ in range(repeats)], x.device)
    return repeats * 2 * 8 * 32 * 32 * 256 * 256 * 9 / taken / 1e9


def device_name(device: str) -> str:
    if device == "cpu":
        return processor()
    import torch

    if not torch.cuda.is_available():
        sys.exit("There is no GPU here; without --device cuda a processor is measured.")
    return torch.cuda.get_device_name()


if __name__ == "__main__":
    main()
