"""Rendering on a GPU against its roofline: bytes that must move,
over the time it takes, over the bandwidth of a plain copy.

    python benchmarks/speed/rendering_gpu.py [--side 128] [--glimpse 32] [--counts 10 50] [--plain]

Only what cannot be avoided counts as moved: every input read once, every result written once. Forward:
glimpses, positions, background, picture, one number a pixel. Backward: those inputs, that number and the
picture's gradient, and the gradient of every input. With `--plain` rendering without Triton is timed beside
it. docs/architecture.md works the bound out. A batch should exceed the GPU's cache.
"""

import argparse
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.report import Table, header, parser
from motes.ops.rendering import composite, fused

COLOURS = 3
REPEATS = 20
KINDS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
COLUMNS = ("K", "glimpses", "variant", "forward us", "GB/s", "of copy", "backward us", "GB/s", "of copy")


def main() -> None:
    arguments_parser = parser(__doc__)
    arguments_parser.add_argument("--side", type=int, default=128, help="of the picture")
    arguments_parser.add_argument("--glimpse", type=int, default=32, help="side of a glimpse")
    arguments_parser.add_argument(
        "--counts", type=int, nargs="+", default=[10, 50, 200, 1000], help="particles"
    )
    arguments_parser.add_argument("--batch", type=int, default=64)
    arguments_parser.add_argument("--plain", action="store_true", help="time rendering without Triton, too")
    arguments = arguments_parser.parse_args()
    device = usable_gpu()
    ceiling = copy_bandwidth(device)
    sizes = f"batch {arguments.batch}, {arguments.side} px, glimpses of {arguments.glimpse} px"
    name = torch.cuda.get_device_name(device)
    header(sizes, f"a copy moves {ceiling / 1e9:.0f} GB/s", threads=torch.get_num_threads(), device=name)
    table = Table(COLUMNS, arguments.format)
    variants = {"fused": fused.render_fused} | ({"plain": plain} if arguments.plain else {})
    for count in arguments.counts:
        for kind_name, kind in KINDS.items():
            for variant, render in variants.items():
                inputs = scene(arguments, count, kind, device)
                table.row(count, kind_name, variant, *measured_rendering(render, inputs, ceiling))


def usable_gpu() -> torch.device:
    if not torch.cuda.is_available():
        script = "benchmarks/speed/particles_scale.py"
        sys.exit(f"There is no GPU here, so there is nothing to measure; {script} measures a processor.")
    device = torch.device("cuda", torch.cuda.current_device())
    if (obstacle := fused.obstacle(device)) is not None:
        sys.exit(f"The fused kernels do not run on {torch.cuda.get_device_name(device)}: {obstacle}.")
    return device


def scene(
    arguments: argparse.Namespace, count: int, kind: torch.dtype, device: torch.device
) -> list[torch.Tensor]:
    """Random glimpses, positions, presences and a background."""
    torch.manual_seed(0)
    batch, side, glimpse = arguments.batch, arguments.side, arguments.glimpse
    glimpses = torch.rand(batch, count, 1 + COLOURS, glimpse, glimpse, device=device).to(kind)
    position = torch.rand(batch, count, 2, device=device) * 1.8 - 0.9
    presence = torch.rand(batch, count, device=device)
    background = torch.rand(batch, COLOURS, side, side, device=device)
    return [tensor.requires_grad_() for tensor in (glimpses, position, presence, background)]


def measured_rendering(
    render: Callable[..., torch.Tensor], inputs: list[torch.Tensor], ceiling: float
) -> list[str]:
    picture = render(*inputs)
    weight = torch.randn_like(picture)
    forward = gpu_seconds(lambda: render(*inputs))
    backward = gpu_seconds(lambda: torch.autograd.grad(picture, inputs, weight, retain_graph=True))
    forward_bytes, backward_bytes = bytes_moved(inputs, picture)
    forward_cells = [f"{forward * 1e6:.0f}", *bandwidth_cells(forward_bytes / forward, ceiling)]
    return [*forward_cells, f"{backward * 1e6:.0f}", *bandwidth_cells(backward_bytes / backward, ceiling)]


def bytes_moved(inputs: list[torch.Tensor], picture: torch.Tensor) -> tuple[int, int]:
    """Forward and backward, at the least."""
    inputs_bytes = sum(tensor.nbytes for tensor in inputs)
    number_a_pixel = picture[:, 0].numel() * picture.element_size()
    forward = inputs_bytes + picture.nbytes + number_a_pixel
    # The gradients of the inputs are written once more.
    return forward, forward + inputs_bytes


def bandwidth_cells(bandwidth: float, ceiling: float) -> list[str]:
    return [f"{bandwidth / 1e9:.0f}", f"{bandwidth / ceiling:.0%}"]


def copy_bandwidth(device: torch.device) -> float:
    source = torch.empty(2**29, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / gpu_seconds(lambda: target.copy_(source))


def gpu_seconds(work: Callable[[], object]) -> float:
    """The median of runs, timed on the GPU; the first three compile and warm up."""
    for _ in range(3):
        work()
    return statistics.median(timed_once(work) for _ in range(REPEATS))


def timed_once(work: Callable[[], object]) -> float:
    """In seconds. The GPU sleeps a little first, so that Python is ahead of it."""
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda._sleep(10_000_000)  # cycles: some milliseconds
    start.record()
    work()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 1000


def plain(*inputs: torch.Tensor) -> torch.Tensor:
    kind = inputs[-1].dtype
    return composite.Render.apply(*(tensor.to(kind) for tensor in inputs), None)


if __name__ == "__main__":
    main()
