"""How quickly `motes encode --parts` goes through a folder of pictures: one process beside two workers, and beside
the bare reading and encoding of the same pictures; and how much memory the driver of the workers takes.

    python benchmarks/speed/bulk_rate.py [--pictures 20000] [--rounds 1]
    python benchmarks/speed/bulk_rate.py --memory 20000 200000    # the driver's memory, with a small model

The model is that of dlp-quick, untrained: it costs what a trained one does. All variants are run one after the
other, once a round. On a machine that others use, CPU seconds say more than seconds: `CPU` are those of all
processes together, from start to end, and pictures a CPU second are what one core does.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.clocks import Figures, by_turns, in_own_process, peak_memory
from benchmarks.report import Table, header, parser

WORKERS = 2
SIDE = 64
# pictures of which the others are copies, so that few are generated
DIFFERENT = 2000
BATCH = 32


def main() -> None:
    arguments_parser = parser(__doc__, rounds=1)
    arguments_parser.add_argument("--pictures", type=int, default=20000)
    arguments_parser.add_argument(
        "--memory", type=int, nargs="+", help="measure memory at these numbers instead"
    )
    # what a process of this benchmark is started with, see `measured`
    arguments_parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    arguments = arguments_parser.parse_args()
    if arguments.measure:
        variant, model, pictures, out = arguments.measure
        print(json.dumps(measured(VARIANTS[variant], Path(model), Path(pictures), Path(out))))
        return
    with tempfile.TemporaryDirectory() as temporary:
        if arguments.memory:
            show_memory(Path(temporary), arguments.memory, arguments.format)
        else:
            show_rates(Path(temporary), arguments.pictures, arguments.rounds, arguments.format)


def show_rates(folder: Path, count: int, rounds: int, style: str) -> None:
    header(f"{count:,} generated PNG at {SIDE} px, dlp-quick", threads=1)
    write_model(folder / "model", "dlp-quick")
    write_pictures(folder / "pictures", count)
    variants: dict[str, Callable[[], Figures]] = {name: partial(run, name, folder) for name in VARIANTS}
    figures = by_turns(variants, rounds)
    bare, alone = figures["bare"], figures["alone"]
    columns = ("", "s", "CPU s", "pictures a CPU s", "of bare", "speed-up", "speed-up by CPU", "driver, MB")
    table = Table(columns, style)
    for name, row in figures.items():
        workers = WORKERS if name == "workers" else 1
        table.row(
            LABELS[name],
            f"{row['seconds']:.0f}",
            f"{row['cpu']:.0f}",
            f"{count / row['cpu']:.0f}",
            f"{bare['cpu'] / row['cpu']:.0%}",
            f"{alone['seconds'] / row['seconds']:.2f}",
            f"{workers * alone['cpu'] / row['cpu']:.2f}",
            f"{row['memory'] / 1024:.0f}",
        )


def show_memory(folder: Path, counts: list[int], style: str) -> None:
    header(f"the driver of {WORKERS} workers, a small model", threads=1)
    write_model(folder / "model", "autoencoder")
    table = Table(("pictures", "s", "CPU s", "driver, MB"), style)
    for count in counts:
        write_pictures(folder / "pictures", count)
        row = run("workers", folder)
        table.row(f"{count:,}", f"{row['seconds']:.0f}", f"{row['cpu']:.0f}", f"{row['memory'] / 1024:.0f}")


def run(variant: str, folder: Path) -> Figures:
    """The figures of a variant in a process of its own, into a new folder."""
    with tempfile.TemporaryDirectory(dir=folder) as out:
        paths = (folder / "model", folder / "pictures", Path(out) / "out")
        return in_own_process(__file__, "--measure", variant, *paths)


def measured(work: Callable[[Path, Path, Path], None], *paths: Path) -> Figures:
    """Seconds, CPU seconds of this process since it began and of all that it started, and its memory in kilobytes."""
    begun = time.perf_counter()
    with redirect_stdout(StringIO()):
        work(*paths)
    seconds = time.perf_counter() - begun
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    return {"seconds": seconds, "cpu": cpu, "memory": peak_memory()}


def bare(model: Path, pictures: Path, out: Path) -> None:
    """Read and encode every picture, and keep nothing."""
    from motes.apps.session.picture_reader import image_of_pixels
    from motes.apps.session.session import Session
    from motes.data.files.picture_files import load_picture

    session = Session.open(model, "cpu")
    size = session.model.config.image_size
    names = sorted(str(path) for path in pictures.rglob("*.png"))
    for first in range(0, len(names), BATCH):
        pixels = [load_picture(Path(name), size) for name in names[first : first + BATCH]]
        # what comes later is computed when it is read, as the certainty of particles
        session.encode(image_of_pixels(np.stack(pixels), session.device)).tensors()


def encode(model: Path, pictures: Path, out: Path, *more: str) -> None:
    from motes.apps.cli.main import run_command

    run_command(["encode", str(model), str(pictures), "--out", str(out), "--parts", "--device", "cpu", *more])


VARIANTS: dict[str, Callable[[Path, Path, Path], None]] = {
    "bare": bare,
    "alone": encode,
    "workers": lambda model, pictures, out: encode(model, pictures, out, "--workers", str(WORKERS)),
}
LABELS = {"bare": "reading and encoding, bare", "alone": "--parts", "workers": f"--workers {WORKERS}"}


def write_model(folder: Path, name: str) -> None:
    import torch

    from motes.models import MODELS
    from motes.training.presets import PRESETS

    options: dict[str, Any] = {"code_dim": 4, "width": 8}
    if name in PRESETS:
        recipe = PRESETS[name].recipe
        options = recipe.model_config
        name = recipe.model
    torch.manual_seed(0)
    model = MODELS[name]
    model(model.Config(**{**options, "image_size": (SIDE, SIDE)})).save(folder)


def write_pictures(folder: Path, count: int) -> None:
    """Write generated shapes until the folder has so many pictures; all but the first are links to these."""
    from PIL import Image

    from motes.data.source import Source

    written = sum(1 for _ in folder.rglob("*.png"))
    data = Source("shapes", {"image_size": [SIDE, SIDE], "count": DIFFERENT, "held_out": 4}).open("train")
    for number in range(written, count):
        path = folder / f"{number // DIFFERENT:04d}" / f"{number:07d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        if number < DIFFERENT:
            Image.fromarray(data.pixels([number])[0].transpose(1, 2, 0)).save(path)
        else:
            first = number % DIFFERENT
            os.link(folder / "0000" / f"{first:07d}.png", path)


if __name__ == "__main__":
    main()
