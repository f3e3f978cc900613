"""`motes encode`: writes the particles of pictures and videos as tables, and drawings of them."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motes.apps.cli.arguments import (
    Parser,
    add_device,
    add_model_options,
    add_pictures_and_out,
    model_options,
    refuse_missing,
)

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from motes.apps.drawing.film import Gallery
    from motes.apps.session.session import Encoded, Session
    from motes.ops.rendering.footprints import VisibleBoxes

ABOUT = "pictures to particles: tables and overlays"
# pixels of the longer side of a drawing, about
SIDE = 512


def add_arguments(parser: Parser) -> None:
    add_pictures_and_out(parser)
    add_model_options(parser)
    add_device(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write particles.csv, particles.npz and (with pyarrow) particles.parquet, and drawings of the particles.

    Particles of videos have the number of the thing that they are, as in `motes track`. Each picture gets a drawing, each video a film. Latents without particles are written under their own
    names, such as codes.npz or slots.csv. Drawings of slots show the picture, the picture drawn again, whose each
    pixel is, and every slot alone.
    """
    refuse_missing(arguments.run, *arguments.pictures)
    from motes.apps.drawing.film import Gallery
    from motes.apps.session.film_numbers import FilmNumbers
    from motes.apps.session.session import Session
    from motes.apps.session.tables import older_pictures
    from motes.models.abilities import Encloses
    from motes.plain.writing import whole_folder

    options = model_options(arguments.run, arguments.dotted)
    session = Session.open(arguments.run, arguments.device, options)
    tables = _Tables()
    tracks = FilmNumbers(session)
    older = [path for kind in ("particles", "slots") for path in older_pictures(arguments.out, kind)]
    with whole_folder(arguments.out, older) as out:
        gallery = Gallery(out, "particles", session.rates)
        for encoded in session.encode_files(arguments.pictures, fit=arguments.fit):
            boxes = session.boxes(encoded.latent)
            middles = session.middles(encoded.latent)
            tables.add(encoded, boxes, middles)
            tracks.add(encoded, boxes)
            _draw(gallery, encoded, boxes if isinstance(session.model, Encloses) else None, middles)
        gallery.close()
        tables.write(out, tracks.numbers())
    print_skipped(session)
    print(f"{len(tables.names)} pictures{tables.count_sure()}: {arguments.out}")


class _Tables:
    """Collects all encoded pictures: their names, their latents, and one table row for each thing in a
    picture."""

    def __init__(self):
        self.files = ""
        self.names: list[str] = []
        self.rows: list[dict[str, Any]] = []
        self.arrays: dict[str, list[Any]] = {}

    def add(self, encoded: "Encoded", boxes: "VisibleBoxes | None", middles: "Tensor | None") -> None:
        from motes.apps.session.kinds import kind_of
        from motes.apps.session.tables import rows_of

        self.files = kind_of(encoded.latent).files
        self.names += [str(path) for path in encoded.paths]
        self.rows += rows_of(encoded, boxes, middles)
        for name, tensor in {
            **encoded.latent.tensors(),
            **({} if boxes is None else boxes.tensors()),
            **({} if middles is None else {"middle": middles}),
        }.items():
            self.arrays.setdefault(name, []).append(tensor.cpu().numpy())

    def write(self, out: Path, tracks: "np.ndarray | None") -> None:
        """Write all tables; `tracks` are the numbers of the things that particles of videos are."""
        import numpy as np

        from motes.apps.session.tables import write_table

        if tracks is not None:
            self.arrays["track"] = [tracks]
            for row, track in zip(self.rows, tracks.flatten().tolist(), strict=True):
                row["track"] = None if track < 0 else track
        arrays: dict[str, Any] = {name: np.concatenate(parts) for name, parts in self.arrays.items()}
        arrays["pictures"] = np.array(self.names)
        np.savez_compressed(out / f"{self.files}.npz", **arrays)
        if self.rows:
            write_table(out / self.files, self.rows)

    def count_sure(self) -> str:
        """A text with the number of particles that are present; empty for latents without particles."""
        if not self.rows or "there" not in self.rows[0]:
            return ""
        return f", {sum(row['there'] for row in self.rows)} particles that are there"


def _draw(
    gallery: "Gallery", encoded: "Encoded", boxes: "VisibleBoxes | None", middles: "Tensor | None"
) -> None:
    from motes.apps.drawing.marks import sheet, with_particles
    from motes.apps.drawing.slot_row import slot_row
    from motes.apps.session.kinds import kind_of
    from motes.types.latents import Particles
    from motes.types.slots import Slots

    latent = encoded.latent
    gallery.kind = kind_of(latent).files
    for number, (path, image) in enumerate(zip(encoded.paths, encoded.image, strict=True)):
        if isinstance(latent, Particles):
            gallery.add(path, with_particles(image, latent, number, SIDE, boxes, middles))
        if isinstance(latent, Slots) and latent.colours is not None:
            gallery.add(path, sheet([slot_row(image, latent, number, SIDE // 2)]))


def print_skipped(session: "Session") -> None:
    for sentence in session.skipped:
        print(f"motes: left out: {sentence}", file=sys.stderr)
