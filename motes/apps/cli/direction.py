"""`motes direction`: learns from pairs of pictures how a latent changes, and draws pictures changed like
that.

Pairs are pictures before and after one change. Arguments are checked before torch is imported.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motes.apps.cli.arguments import RUN, Parser, add_fit, add_run, refuse_missing
from motes.apps.drawing.save import refuse_other_kinds, save_picture
from motes.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from motes.apps.session.session import Session
    from motes.explore.direction import Direction

ABOUT = "learn from pairs what changes, and draw pictures at several strengths of it: motes direction RUN --pairs DIR"
ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
ENDS = ("before", "after")
# pictures of the pairs that are drawn, if none are named
SHOWN = 4
# pixels of a drawn picture's longer side, about
SIDE = 128


@dataclass(frozen=True)
class Pairs:
    """Pairs of picture files: `before[n]` belongs to `after[n]`."""

    before: list[Path]
    after: list[Path]


def add_arguments(parser: Parser) -> None:
    add_run(parser, f"{RUN}; any model that draws")
    _add_pictures(parser)
    _add_movement(parser)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("direction.png"),
        help="the strip to draw; the direction is written beside it",
    )
    add_fit(parser)


def _add_pictures(parser: Parser) -> None:
    parser.add_argument(
        "--pairs",
        type=Path,
        required=True,
        help="a folder with before/NAME and after/NAME, or NAME-before and NAME-after",
    )
    parser.add_argument(
        "--pictures", type=Path, nargs="+", help=f"pictures to move; by default {SHOWN} of those before"
    )


def _add_movement(parser: Parser) -> None:
    parser.add_argument(
        "--strengths",
        type=float,
        nargs="+",
        default=[-1.0, -0.5, 0.0, 0.5, 1.0, 1.5],
        help="1 is what the pairs change by",
    )
    parser.add_argument(
        "--bending",
        action="store_true",
        help="the change may depend on where one is; wants tens of pairs, and no particles",
    )
    parser.add_argument("--particle", type=int, help="move this particle; by default the surest")


def run(arguments: argparse.Namespace) -> None:
    _check(arguments)
    pairs = find_pairs(arguments.pairs)
    from motes.apps.drawing.marks import sheet
    from motes.apps.session.session import Session

    session = Session.open(arguments.run)
    direction = _learn(arguments, session, pairs)
    pictures = arguments.pictures or pairs.before[:SHOWN]
    save_picture(sheet(_strip(arguments, session, direction, pictures)), arguments.out)
    _write(arguments.out.with_suffix(".npz"), direction)
    _report(arguments, pairs, direction.agreement)


def _check(arguments: argparse.Namespace) -> None:
    refuse_missing(arguments.pairs, *(arguments.pictures or ()))
    refuse_other_kinds(arguments.out)
    if arguments.particle is not None and arguments.particle < 0:
        raise UserError(f"particles are numbered from 0 up, there is no {arguments.particle}")


def _learn(arguments: argparse.Namespace, session: "Session", pairs: Pairs) -> "Direction":
    from motes.explore.direction import bending, of_pairs

    before = _encoded(session, pairs.before, arguments.fit)
    after = _encoded(session, pairs.after, arguments.fit)
    return bending(before, after) if arguments.bending else of_pairs(before, after)


def _report(arguments: argparse.Namespace, pairs: Pairs, agreement: float) -> None:
    print(
        f"{len(pairs.before)} pairs; their changes point one way by {agreement:.2f} "
        "(1: all alike, 0: each its own)"
    )
    strengths = " ".join(f"{strength:g}" for strength in arguments.strengths)
    arrays = arguments.out.with_suffix(".npz")
    print(f"strengths {strengths} of the picture on the left: {arguments.out}; the direction: {arrays}")


def find_pairs(folder: Path) -> Pairs:
    """The pairs of pictures in a folder, matched by their file names.

    Either before/NAME and after/NAME, with any file endings; or NAME-before and NAME-after in the folder
    itself, where _ or a space may replace the hyphen.
    """
    in_folders = all((folder / end).is_dir() for end in ENDS)
    files_of = _pictures_in if in_folders else _pictures_named
    before, after = (files_of(folder, end) for end in ENDS)
    if not before and not after:
        raise UserError(
            f"{folder} holds no pairs: pictures in before/ and after/ with the same names, "
            "or NAME-before and NAME-after"
        )
    _refuse_lonely(folder, before, after)
    names = sorted(before)
    return Pairs([before[name] for name in names], [after[name] for name in names])


def _pictures_in(folder: Path, end: str) -> dict[str, Path]:
    """The pictures in the subfolder `end` ("before" or "after"), keyed by file name without its ending."""
    return {file.stem: file for file in _pictures(folder / end)}


def _pictures_named(folder: Path, end: str) -> dict[str, Path]:
    """The pictures whose name ends in `end`, keyed by the part of the name before `end`."""
    files = (file for file in _pictures(folder) if _ends(file.stem, end))
    return {file.stem[: -len(end)].rstrip("-_ "): file for file in files}


def _refuse_lonely(folder: Path, before: Mapping[str, Path], after: Mapping[str, Path]) -> None:
    lonely = sorted(before.keys() ^ after.keys())
    if not lonely:
        return
    missing = "after" if lonely[0] in before else "before"
    more = f", nor have {len(lonely) - 1} others" if len(lonely) > 1 else ""
    raise UserError(
        f"{lonely[0]!r} in {folder} has no picture {missing}{more}; "
        "each wants one before and one after of the same name"
    )


def _pictures(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in ENDINGS)


def _ends(stem: str, end: str) -> bool:
    return stem.lower().endswith(end) and (len(stem) == len(end) or stem[-len(end) - 1] in "-_ ")


def _encoded(session: "Session", files: Sequence[Path], fit: str) -> Any:
    """The latents of all files, joined in one record; a file that cannot be read is an error."""
    from motes.types.rows import Rows

    latent = Rows.cat([encoded.latent for encoded in session.encode_files(files, fit=fit)])
    if session.skipped:
        raise UserError(f"every picture of a pair is needed: {session.skipped[0]}")
    return latent


def _strip(
    arguments: argparse.Namespace, session: "Session", direction: "Direction", pictures: Sequence[Path]
) -> list[list[Any]]:
    """The rows of the sheet: each has one picture, then the model's drawing of it at every strength."""
    from motes.apps.drawing.marks import to_picture

    rows = []
    for path in pictures:
        image = session.read(path, arguments.fit)
        images = [image, *_moved_images(arguments, session, direction, image)]
        rows.append([to_picture(image[0], SIDE) for image in images])
    return rows


def _moved_images(
    arguments: argparse.Namespace, session: "Session", direction: "Direction", image: "Tensor"
) -> "list[Tensor]":
    """The model's drawings of one picture, moved along the direction by each of the strengths."""
    latent = session.encode(image)
    particle = _chosen(latent, arguments.particle)
    latents = [direction.moved(latent, strength, particle) for strength in arguments.strengths]
    return [session.decode(moved) for moved in latents]


def _chosen(latent: Any, particle: int | None) -> int | None:
    """The number of the particle to move: `particle` if given, else the most certain particle that is
    present.

    None where the latent has no particles.
    """
    from motes.types.latents import Particles

    if not isinstance(latent, Particles) or particle is not None:
        return particle
    return int((latent.confidence[0] - 1e6 * (latent.confident().presence[0] <= 0.5)).argmax())


def _write(path: Path, direction: "Direction") -> None:
    """Write the direction as an .npz file of NumPy arrays.

    `step` is written under the names of the latent's parts, `turn` under these names with `turn_` before
    them.
    """
    import numpy as np

    from motes.plain.writing import whole_file

    turn = {f"turn_{name}": value for name, value in direction.turn.items()}
    tensors = {**direction.step, **turn}
    arrays: dict[str, Any] = {name: value.cpu().numpy() for name, value in tensors.items()}
    with whole_file(path) as fresh, fresh.open("wb") as file:
        np.savez(file, **arrays)
