"""`motes direction`: what a model's latent changes by from pictures before to pictures after, and pictures
moved along it."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from motes.apps.cli.picture_arguments import add_fit
from motes.apps.drawing.save import refuse_other_kinds, save_picture
from motes.errors import UserError

ABOUT = "learn from pairs what changes, and draw pictures at several strengths of it: motes direction RUN --pairs DIR"
KINDS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
ENDS = ("before", "after")
SHOWN = 4  # pictures of the pairs that are drawn, if none are named


@dataclass(frozen=True)
class Pairs:
    """Files, in the same order."""

    before: list[Path]
    after: list[Path]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, help="a run or checkpoint folder; any model that draws")
    parser.add_argument(
        "--pairs",
        type=Path,
        required=True,
        help="a folder with before/NAME and after/NAME, or NAME-before and NAME-after",
    )
    parser.add_argument(
        "--pictures", type=Path, nargs="+", help=f"pictures to move; by default {SHOWN} of those before"
    )
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
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("direction.png"),
        help="the strip to draw; the direction is written beside it",
    )
    add_fit(parser)


def run(told: argparse.Namespace) -> None:
    """Words are checked before torch is imported."""
    for path in (told.run, told.pairs, *(told.pictures or ())):
        if not path.exists():
            raise UserError(f"{path} does not exist")
    refuse_other_kinds(told.out)
    if told.particle is not None and told.particle < 0:
        raise UserError(f"particles are numbered from 0 up, there is no {told.particle}")
    _learn(told, find_pairs(told.pairs))


def find_pairs(folder: Path) -> Pairs:
    """By name: before/a.png with after/a.png, whatever their kinds; or a-before.png with a-after.png, also
    with _ or a space."""
    if all((folder / end).is_dir() for end in ENDS):
        found = [{file.stem: file for file in _pictures(folder / end)} for end in ENDS]
    else:
        found = [
            {
                file.stem[: -len(end)].rstrip("-_ "): file
                for file in _pictures(folder)
                if _ends(file.stem, end)
            }
            for end in ENDS
        ]
    before, after = found
    if not before and not after:
        raise UserError(
            f"{folder} holds no pairs: pictures in before/ and after/ with the same names, or NAME-before and NAME-after"
        )
    if lonely := sorted(before.keys() ^ after.keys()):
        lacks = "after" if lonely[0] in before else "before"
        more = f", nor have {len(lonely) - 1} others" if len(lonely) > 1 else ""
        raise UserError(
            f"{lonely[0]!r} in {folder} has no picture {lacks}{more}; each wants one before and one after of the same name"
        )
    names = sorted(before)
    return Pairs([before[name] for name in names], [after[name] for name in names])


def _pictures(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in KINDS)


def _ends(stem: str, end: str) -> bool:
    return stem.lower().endswith(end) and (len(stem) == len(end) or stem[-len(end) - 1] in "-_ ")


def _learn(told: argparse.Namespace, pairs: Pairs) -> None:
    from motes.apps.drawing.marks import sheet
    from motes.apps.session.session import Session
    from motes.explore.direction import bending, of_pairs

    session = Session.open(told.run)
    latents = [_encoded(session, files, told.fit) for files in (pairs.before, pairs.after)]
    direction = (bending if told.bending else of_pairs)(*latents)
    rows = _strip(session, direction, told.pictures or pairs.before[:SHOWN], told)
    save_picture(sheet(rows), told.out)
    beside = told.out.with_suffix(".npz")
    _write(beside, direction)
    print(
        f"{len(pairs.before)} pairs; their changes point one way by {direction.agreement:.2f} (1: all alike, 0: each its own)"
    )
    print(
        f"strengths {' '.join(f'{one:g}' for one in told.strengths)} of the picture on the left: {told.out}; the direction: {beside}"
    )


def _encoded(session: Any, files: Sequence[Path], fit: str) -> Any:
    from motes.types.rows import Rows

    latent = Rows.cat([found.latent for found in session.encode_files(files, fit=fit)])
    if session.skipped:
        raise UserError(f"every picture of a pair is needed: {session.skipped[0]}")
    return latent


def _strip(
    session: Any, direction: Any, pictures: Sequence[Path], told: argparse.Namespace
) -> list[list[Any]]:
    from motes.apps.drawing.marks import to_picture

    rows = []
    for path in pictures:
        image = session.read(path, told.fit)
        latent = session.encode(image)
        particle = _chosen(latent, told.particle)
        moved = [session.decode(direction.moved(latent, strength, particle)) for strength in told.strengths]
        rows.append([to_picture(one[0], 128) for one in (image, *moved)])
    return rows


def _chosen(latent: Any, particle: int | None) -> int | None:
    """Of a picture's particles the one that was asked for, or else the surest that is there."""
    from motes.types.latents import Particles

    if not isinstance(latent, Particles) or particle is not None:
        return particle
    return int((latent.confidence[0] - 1e6 * (latent.confident().presence[0] <= 0.5)).argmax())


def _write(path: Path, direction: Any) -> None:
    """Its parts by name, and those of its turn with `turn_` before; for NumPy."""
    import numpy as np

    from motes.plain.writing import fresh_file

    arrays = {name: value.cpu().numpy() for name, value in direction.step.items()}
    arrays |= {f"turn_{name}": value.cpu().numpy() for name, value in direction.turn.items()}
    with fresh_file(path) as fresh, fresh.open("wb") as file:
        np.savez(file, **arrays)
