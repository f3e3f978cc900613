"""Rendering on a GPU against its roofline: bytes that must move, over the time it takes, over the bandwidth of a plain copy.

    python benchmarks/rendering_gpu.py [--side 128] [--glimpse 32] [--counts 10 50 200 1000] [--batch 64] [--plain]

Only what no way could avoid counts as moved: every input read once, every result written once. Forward: glimpses, places, background,
picture, one number a pixel. Backward: those inputs, that number and the picture's gradient, and the gradient of every input. With
`--plain` the way without Triton is timed beside it. docs/architecture.md works the bound out. A batch should exceed the GPU's cache.
"""

import argparse
import datetime
import statistics
import sys
from collections.abc import Callable

import torch

from motes.ops.rendering import composite, fused

COLOURS, REPEATS = 3, 20
KINDS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side", type=int, default=128, help="of the picture")
    parser.add_argument("--glimpse", type=int, default=32, help="side of a glimpse")
    parser.add_argument("--counts", type=int, nargs="+", default=[10, 50, 200, 1000], help="particles")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--plain", action="store_true", help="time the way without Triton, too")
    told = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit(
            "There is no GPU here, so there is nothing to measure; benchmarks/particles_scale.py measures a processor."
        )
    device = torch.device("cuda", torch.cuda.current_device())
    if (obstacle := fused.obstacle(device)) is not None:
        sys.exit(f"The fused kernels do not run on {torch.cuda.get_device_name(device)}: {obstacle}.")
    ceiling = copy_bandwidth(device)
    print(
        f"{datetime.date.today()}, {torch.cuda.get_device_name(device)}, torch {torch.__version__}, batch {told.batch},",
        end=" ",
    )
    print(f"{told.side} px, glimpses of {told.glimpse} px; a copy moves {ceiling / 1e9:.0f} GB/s\n")
    print(
        "| K | glimpses | way | forward us | GB/s | of copy | backward us | GB/s | of copy |\n|" + "---|" * 9
    )
    ways = {"fused": fused.render_fused} | ({"plain": plain} if told.plain else {})
    for count in told.counts:
        for name, kind in KINDS.items():
            for way, render in ways.items():
                cells = measured(render, scene(told, count, kind, device), ceiling)
                print(f"| {count} | {name} | {way} | " + " | ".join(cells) + " |", flush=True)


def scene(
    told: argparse.Namespace, count: int, kind: torch.dtype, device: torch.device
) -> list[torch.Tensor]:
    torch.manual_seed(0)
    glimpses = torch.rand(told.batch, count, 1 + COLOURS, told.glimpse, told.glimpse, device=device).to(kind)
    position = torch.rand(told.batch, count, 2, device=device) * 1.8 - 0.9
    presence, background = (
        torch.rand(told.batch, *shape, device=device) for shape in ((count,), (COLOURS, told.side, told.side))
    )
    return [one.requires_grad_() for one in (glimpses, position, presence, background)]


def measured(render: Callable[..., torch.Tensor], inputs: list[torch.Tensor], ceiling: float) -> list[str]:
    picture = render(*inputs)
    weight = torch.randn_like(picture)
    forward = seconds(lambda: render(*inputs))
    backward = seconds(lambda: torch.autograd.grad(picture, inputs, weight, retain_graph=True))
    there, back = bytes_moved(inputs, picture)
    return [
        f"{forward * 1e6:.0f}",
        *rate(there / forward, ceiling),
        f"{backward * 1e6:.0f}",
        *rate(back / backward, ceiling),
    ]


def bytes_moved(inputs: list[torch.Tensor], picture: torch.Tensor) -> tuple[int, int]:
    """Forward and backward, at the least."""
    given = sum(one.nbytes for one in inputs)
    taken = picture[:, 0].numel() * picture.element_size()
    return given + picture.nbytes + taken, given + taken + picture.nbytes + given


def rate(bandwidth: float, ceiling: float) -> list[str]:
    return [f"{bandwidth / 1e9:.0f}", f"{bandwidth / ceiling:.0%}"]


def copy_bandwidth(device: torch.device) -> float:
    source = torch.empty(2**29, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / seconds(lambda: target.copy_(source))


def seconds(work: Callable[[], object]) -> float:
    """The median of runs, timed on the GPU, which first sleeps a little so that Python is ahead of it; the first three compile and warm up."""
    for _ in range(3):
        work()
    taken = []
    for _ in range(REPEATS):
        began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda._sleep(10_000_000)  # cycles: some milliseconds
        began.record()
        work()
        ended.record()
        ended.synchronize()
        taken.append(began.elapsed_time(ended) / 1000)
    return statistics.median(taken)


def plain(*inputs: torch.Tensor) -> torch.Tensor:
    kind = inputs[-1].dtype
    return composite.Render.apply(*(one.to(kind) for one in inputs), None)


if __name__ == "__main__":
    main()
