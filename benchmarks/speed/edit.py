"""What an edit costs: moving one particle of a cached painting, against decoding the picture anew.
One thread, CPU milliseconds.

python benchmarks/speed/edit.py [--side 128] [--counts 10 50 200] [--edits 200] [--architecture anchored]
"""

import sys
from pathlib import Path
from typing import Literal

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.clocks import cpu_seconds
from benchmarks.report import Table, header, parser
from motes.models.particles.dlp import DeepLatentParticles, DlpConfig
from motes.ops.rendering.painting import LayerSizes, Painting

COLUMNS = ("K", "move one, painted again ms", "slowest ms", "rendered anew ms", "decoded anew ms")


@torch.no_grad()
def main() -> None:
    arguments_parser = parser(__doc__)
    arguments_parser.add_argument("--side", type=int, default=128, help="of the picture")
    arguments_parser.add_argument("--counts", type=int, nargs="+", default=[10, 50, 200], help="of particles")
    arguments_parser.add_argument("--edits", type=int, default=200)
    choices = ("anchored", "sized")
    arguments_parser.add_argument("--architecture", default="anchored", choices=choices, help="of the model")
    arguments = arguments_parser.parse_args()
    torch.set_num_threads(1)
    words = (f"{arguments.side} px", "glimpses of 32 px", arguments.architecture)
    header(*words, f"mean of {arguments.edits} edits", threads=1)
    table = Table(COLUMNS, arguments.format)
    for count in arguments.counts:
        found = costs(arguments.side, count, arguments.edits, arguments.architecture)
        table.row(count, *(f"{1000 * cost:.1f}" for cost in found))


def costs(
    side: int, count: int, edits: int, architecture: Literal["anchored", "sized"]
) -> tuple[float, float, float, float]:
    torch.manual_seed(0)
    config = DlpConfig(
        image_size=(side, side), num_particles=count, glimpse_size=32, patch_size=8, architecture=architecture
    )
    model = DeepLatentParticles(config).eval()
    latent = model.encode(torch.rand(1, 3, side, side))
    painting = model.painting(latent)
    targets = (torch.rand(edits, 2) * 2 - 1).tolist()
    times = [
        cpu_seconds(lambda particle=number % count, target=(row, column): painting.moved(particle, target))
        for number, (row, column) in enumerate(targets)
    ]
    layers = (painting.glimpses, painting.position, painting.presence, painting.background)
    sizes = None if painting.scale is None else LayerSizes(painting.scale, painting.middle)
    anew = cpu_seconds(lambda: [Painting.of(*layers, sizes) for _ in range(5)]) / 5
    decoded = cpu_seconds(lambda: [model.decode(latent) for _ in range(5)]) / 5
    return sum(times) / edits, max(times), anew, decoded


if __name__ == "__main__":
    main()
