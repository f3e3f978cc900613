"""`motes encode`: pictures and videos to tables of particles, and drawings of them."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motes.apps.cli.arguments import Parser, add_pictures_and_out, refuse_missing

if TYPE_CHECKING:
    from motes.apps.drawing.film import Gallery
    from motes.apps.session.session import Encoded, Session

ABOUT = "pictures to particles: tables and overlays"
# pixels of the longer side of a drawing, about
SIDE = 512


def add_arguments(parser: Parser) -> None:
    add_pictures_and_out(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write particles.csv, .npz and (with pyarrow) .parquet; for every picture a drawing of its particles,
    for every video a film of them."""
    refuse_missing(arguments.run, *arguments.pictures)
    from motes.apps.drawing.film import Gallery
    from motes.apps.session.session import Session
    from motes.apps.session.tables import older_pictures, write_table
    from motes.plain.writing import whole_folder

    session = Session.open(arguments.run)
    tables = _Tables()
    with whole_folder(arguments.out, older_pictures(arguments.out, "particles")) as out:
        gallery = Gallery(out, "particles", session.rates)
        for encoded in session.encode_files(arguments.pictures, fit=arguments.fit):
            tables.add(encoded)
            _draw(gallery, encoded)
        gallery.close()
        tables.write_arrays(out)
        if tables.rows:
            write_table(out, tables.rows)
    print_skipped(session)
    sure = sum(row["there"] for row in tables.rows)
    particles = f", {sure} particles that are there" if tables.rows else ""
    print(f"{len(tables.names)} pictures{particles}: {arguments.out}")


class _Tables:
    """What is known of all pictures: their names, their latents, and a row for each particle."""

    def __init__(self):
        self.names: list[str] = []
        self.rows: list[dict[str, Any]] = []
        self.arrays: dict[str, list[Any]] = {}

    def add(self, encoded: "Encoded") -> None:
        from motes.apps.session.tables import rows_of
        from motes.types.latents import Particles

        self.names += [str(path) for path in encoded.paths]
        for name, tensor in encoded.latent.tensors().items():
            self.arrays.setdefault(name, []).append(tensor.cpu().numpy())
        if isinstance(encoded.latent, Particles):
            self.rows += rows_of(encoded)

    def write_arrays(self, out: Path) -> None:
        import numpy as np

        arrays: dict[str, Any] = {name: np.concatenate(parts) for name, parts in self.arrays.items()}
        arrays["pictures"] = np.array(self.names)
        np.savez_compressed(out / ("particles.npz" if self.rows else "codes.npz"), **arrays)


def _draw(gallery: "Gallery", encoded: "Encoded") -> None:
    from motes.apps.drawing.marks import with_particles
    from motes.types.latents import Particles

    if isinstance(encoded.latent, Particles):
        for number, path in enumerate(encoded.paths):
            gallery.add(path, with_particles(encoded.image[number], encoded.latent, number, SIDE))


def print_skipped(session: "Session") -> None:
    for sentence in session.skipped:
        print(f"motes: left out: {sentence}", file=sys.stderr)
