"""`motes import-2022`: converts weights of the 2022 research code into a checkpoint."""

import argparse
from pathlib import Path

from motes.apps.cli.arguments import Parser, refuse_missing

ABOUT = "weights of the 2022 research code to a checkpoint"


def add_arguments(parser: Parser) -> None:
    parser.add_argument("weights", type=Path, help="a .pth file")
    parser.add_argument(
        "--config",
        type=Path,
        help="JSON with that code's constructor arguments; what shapes tell need not be given",
    )
    parser.add_argument("--out", type=Path, required=True, help="checkpoint folder to write")


def run(arguments: argparse.Namespace) -> None:
    refuse_missing(arguments.weights)
    from motes.models.particles.import_2022 import import_weights

    config = import_weights(arguments.weights, arguments.config, arguments.out).config
    rows, columns = config.image_size
    print(f"{arguments.out}: {config.num_particles} particles, pictures of {rows} x {columns}")
