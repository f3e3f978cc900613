"""`motes encode`: writes the latents of pictures and videos as tables, with drawings of some of them; of a million, in parts."""

import argparse
import json
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from motes.apps.cli.arguments import (
    Parser,
    add_device,
    add_model_options,
    add_pictures_and_out,
    model_options,
    positive,
    refuse_missing,
)
from motes.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from motes.apps.bulk.part_file import Work
    from motes.apps.drawing.film import Gallery
    from motes.apps.session.session import Encoded, Session
    from motes.ops.rendering.footprints import VisibleBoxes

ABOUT = "pictures to particles: tables and overlays; of a million pictures, in parts that can be resumed"
# pixels of the longer side of a drawing, about
SIDE = 512
# drawings, if --overlays does not say how many
OVERLAYS = 32
# pictures in a part, if --part-size does not say how many
PART = 512


def add_arguments(parser: Parser) -> None:
    add_pictures_and_out(parser)
    about = f"pictures that are drawn with what was found in them, the first ones; {OVERLAYS} if not given"
    parser.add_argument("--overlays", type=_count, metavar="N", help=about)
    parser.add_argument("--batch", type=positive, default=32, help="pictures that are encoded together")
    parser.add_argument("--strict", action="store_true", help="exit code 1 if anything could not be read")
    add_device(parser)
    _add_parts(parser)
    add_model_options(parser)


def _add_parts(parser: Parser) -> None:
    """Add the arguments for many pictures."""
    parser.add_argument(
        "--parts",
        action="store_true",
        help="write a parquet file for each part of the pictures; the same command goes on where it was stopped",
    )
    parser.add_argument(
        "--part-size", type=positive, metavar="N", help=f"pictures in a part; {PART} if not given"
    )
    parser.add_argument("--boxes", action="store_true", help="in parts, also boxes around what is visible")
    parser.add_argument(
        "--workers", type=positive, metavar="N", help="encode parts in so many processes of this machine"
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="encode parts on a cluster of dask: tcp://HOST:8786"
    )


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a whole number from 0 up, not {text!r}")
    return int(text)


def run(arguments: argparse.Namespace) -> None:
    """Write tables and drawings of pictures, or a table for each part of many pictures."""
    refuse_missing(*arguments.pictures)
    in_parts = arguments.parts or arguments.workers is not None or arguments.scheduler is not None
    _refuse_unfit(arguments, in_parts)
    flawless = _encode_parts(arguments) if in_parts else _encode(arguments)
    if arguments.strict and not flawless:
        sys.exit(1)


def _refuse_unfit(arguments: argparse.Namespace, in_parts: bool) -> None:
    if arguments.workers is not None and arguments.scheduler is not None:
        raise UserError("--workers are of this machine and --scheduler is of a cluster; name one of them")
    if in_parts and arguments.overlays is not None:
        raise UserError(
            "no overlays are drawn of parts; leave out --overlays, or encode some pictures without --parts"
        )
    if not in_parts and (arguments.part_size is not None or arguments.boxes):
        raise UserError("--part-size and --boxes are of --parts; without it, tables always have boxes")


def _encode(arguments: argparse.Namespace) -> bool:
    """Write particles.csv, particles.npz and (with pyarrow) particles.parquet, and some drawings; was all read?

    Particles of videos have the number of the thing that they are, as in `motes track`. Each picture gets a
    drawing, each video a film, until there are enough. Latents without particles are written under their own names,
    such as codes.npz or slots.csv. Drawings of slots show the picture, the picture drawn again, whose each pixel is,
    and every slot alone.
    """
    from motes.apps.bulk.counting import counting
    from motes.apps.bulk.latent_files import LatentFiles
    from motes.apps.drawing.film import Gallery
    from motes.apps.session.picture_reader import count_pictures, expand_names, is_video
    from motes.apps.session.session import Session
    from motes.apps.session.tables import older_pictures
    from motes.plain.writing import whole_folder

    options = model_options(arguments.run, arguments.dotted)
    session = Session.open(arguments.run, arguments.device, options)
    names = expand_names(arguments.pictures)
    follows = any(map(is_video, names))
    overlays = OVERLAYS if arguments.overlays is None else arguments.overlays
    older = [path for kind in ("particles", "slots") for path in older_pictures(arguments.out, kind)]
    with whole_folder(arguments.out, older) as out, LatentFiles(out, session, follows) as files:
        drawings = _Drawings(Gallery(out, "particles", session.rates), session, overlays)
        with counting("encode", count_pictures(names)) as advance:
            for encoded in session.encode_files(arguments.pictures, arguments.batch, arguments.fit):
                boxes = session.boxes(encoded.latent)
                middles = session.middles(encoded.latent)
                files.add(encoded, boxes, middles)
                drawings.add(encoded, boxes, middles)
                advance(len(encoded.paths))
        drawings.gallery.close()
        files.finish()
    print_skipped(session)
    presence = "" if files.there is None else f", {files.there} particles that are there"
    print(f"{len(files.names)} pictures{presence}: {arguments.out}")
    return not session.skipped


class _Drawings:
    """Draws what was found in the first pictures, so many of them."""

    def __init__(self, gallery: "Gallery", session: "Session", count: int):
        self.gallery = gallery
        self._session = session
        self._left = count

    def add(self, encoded: "Encoded", boxes: "VisibleBoxes | None", middles: "Tensor | None") -> None:
        from motes.apps.drawing.marks import sheet, with_particles
        from motes.apps.drawing.slot_row import slot_row
        from motes.apps.session.kinds import kind_of
        from motes.models.abilities import Encloses
        from motes.types.latents import Particles
        from motes.types.slots import Slots

        latent = encoded.latent
        self.gallery.kind = kind_of(latent).files
        boxes = boxes if isinstance(self._session.model, Encloses) else None
        for number, path in enumerate(encoded.paths[: self._left]):
            image = encoded.image[number]
            if isinstance(latent, Particles):
                self.gallery.add(path, with_particles(image, latent, number, SIDE, boxes, middles))
            if isinstance(latent, Slots) and latent.colours is not None:
                self.gallery.add(path, sheet([slot_row(image, latent, number, SIDE // 2)]))
        self._left = max(self._left - len(encoded.paths), 0)


def _encode_parts(arguments: argparse.Namespace) -> bool:
    """Write a parquet file for each part, and a summary; was all read and written?"""
    from motes.apps.bulk.bulk import encode_parts
    from motes.apps.bulk.counting import counting
    from motes.apps.bulk.engines import engine_of
    from motes.apps.bulk.parts import parts_of
    from motes.models.checkpoint import load
    from motes.models.devices import device_named
    from motes.plain.packages import optional

    optional("pyarrow", "bulk", "--parts needs pyarrow")
    if arguments.scheduler is None:
        device_named(arguments.device)
    work = _work(arguments)
    model = load(work.model, options=json.loads(work.options))
    parts = list(parts_of(arguments.pictures, arguments.part_size or PART, work.clip(model)))
    with engine_of(arguments.workers, arguments.scheduler) as engine:
        summary = encode_parts(work, model, parts, engine, partial(counting, "encode"))
    for complaint in summary.complaints():
        print(f"motes: {complaint}", file=sys.stderr)
    print(f"{summary.rows:,} pictures in {summary.parts:,} parts: {arguments.out}")
    return summary.flawless


def _work(arguments: argparse.Namespace) -> "Work":
    from motes.apps.bulk.part_file import Work
    from motes.models.checkpoint import checkpoint_folder, weights_hash

    # of a run in training the best checkpoint changes; all parts are encoded by this one
    folder = checkpoint_folder(arguments.run).resolve()
    options: dict[str, Any] = model_options(arguments.run, arguments.dotted)
    return Work(
        model=str(folder),
        weights=weights_hash(folder),
        out=str(arguments.out.resolve()),
        options=json.dumps(options),
        fit=arguments.fit,
        batch=arguments.batch,
        device=arguments.device,
        boxes=arguments.boxes,
    )


def print_skipped(session: "Session") -> None:
    for sentence in session.skipped:
        print(f"motes: left out: {sentence}", file=sys.stderr)
