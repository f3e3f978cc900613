"""`motes predict`: what comes next in a film: a film of it beside the truth, a table of paths, and a picture of them."""

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motes.apps.cli.arguments import RUN, Parser, add_device, add_fit, add_run, refuse_missing
from motes.apps.cli.recipe import recipe_for
from motes.data import DATASETS
from motes.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from motes.apps.session.foresight import Foresight, Shot
    from motes.models.base import Model
    from motes.types.clips import ParticleClip

ABOUT = "a film to what comes next: a film of it, and the paths of all things"
# what the command writes; those of an earlier call are removed
FILES = ("predicted.mp4", "tracks.csv", "tracks.png")
COLUMNS = ("sample", "frame", "time", "track", "row", "column", "presence", "seen", "predicted")
# frames after the last given one, for which the figures are printed
HORIZONS = (1, 5, 10, 20, 50)


def add_arguments(parser: Parser) -> None:
    add_run(parser, f"{RUN}; a model of particles: dlp-graph learns how they move")
    parser.add_argument(
        "source", help="a video, a folder of numbered pictures, or the name of a data set with clips"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--from", dest="first", type=_count, default=0, help="the first frame that is given")
    parser.add_argument("--given", type=_count, default=10, help="number of frames that are given")
    parser.add_argument("--steps", type=_count, default=50, help="number of frames to predict")
    parser.add_argument(
        "--samples", type=_count, default=0, help="number of futures to draw beside the one that is expected"
    )
    parser.add_argument("--seed", type=_count, default=0, help="another seed draws other futures")
    parser.add_argument(
        "--actions",
        type=Path,
        metavar="FILE.npy",
        help="what is done from the last given frame on, steps x numbers; of a data set, the recorded actions if not given",
    )
    parser.add_argument("--clip", type=_count, default=0, help="which held-out clip of a data set")
    parser.add_argument("--no-film", action="store_true", help="no film")
    add_fit(parser)
    add_device(parser)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a whole number from 0 up, not {text!r}")
    return int(text)


def run(arguments: argparse.Namespace) -> None:
    """Write predicted.mp4, tracks.csv and tracks.png, and print how near the truth is, where it is known."""
    if arguments.steps < 1:
        raise UserError("--steps 0 predicts nothing; to follow things and predict nothing: motes track")
    is_data = not Path(arguments.source).exists() and arguments.source.partition(":")[0] in DATASETS
    films = [] if is_data else [Path(arguments.source)]
    refuse_missing(*films, *([arguments.actions] if arguments.actions else []))
    from motes.apps.session.foresight import Wanted
    from motes.apps.session.session import Session
    from motes.data.actions import read_actions
    from motes.plain.writing import whole_folder

    session = Session.open(arguments.run, arguments.device)
    shot = _shot_of_data(arguments, session.model) if is_data else _shot_of_video(arguments)
    actions = read_actions(arguments.actions, arguments.steps) if arguments.actions else None
    request = Wanted(arguments.samples, arguments.seed, actions)
    foresight = session.foresee(shot, arguments.given, arguments.steps, arguments.fit, request)
    with whole_folder(arguments.out, [arguments.out / name for name in FILES]) as out:
        _write(foresight, out, arguments)
    print(_summary(foresight, arguments.out))


def _shot_of_video(arguments: argparse.Namespace) -> "Shot":
    from motes.apps.session.foresight import Shot

    return Shot.of_video(Path(arguments.source), arguments.first, arguments.given + arguments.steps)


def _shot_of_data(arguments: argparse.Namespace, model: "Model") -> "Shot":
    from motes.apps.session.foresight import Shot

    recipe = recipe_for(arguments.run, model.config, arguments.source)
    data = recipe.data.open("test")
    if data.frames < 2:
        raise UserError(
            f"{arguments.source} has single pictures, in which nothing moves; name data with clips"
        )
    count = arguments.given + arguments.steps
    return Shot.of_data(arguments.source, data, arguments.clip, arguments.first, count)


def _write(foresight: "Foresight", out: Path, arguments: argparse.Namespace) -> None:
    from motes.apps.drawing.film import Film
    from motes.apps.drawing.prediction import film_frames, paths_picture

    with (out / "tracks.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_rows(foresight))
    paths_picture(foresight).save(out / "tracks.png")
    if not arguments.no_film:
        with Film(out / "predicted.mp4", foresight.shot.rate, crf=18) as film:
            for picture in film_frames(foresight):
                film.add(picture)


def _rows(foresight: "Foresight") -> Iterator[tuple[Any, ...]]:
    """Yields a row for each thing in each frame, given or predicted, and then for each of the samples.

    Places are in pixels of the film. Sample 0 is what is expected.
    """
    yield from _rows_of(foresight, foresight.clip, foresight.places, (0, 0))
    samples = foresight.samples
    if samples is None or foresight.sample_places is None:
        return
    for number in range(samples.clips):
        rows = slice(number * samples.frames, (number + 1) * samples.frames)
        positions = foresight.sample_places[rows]
        yield from _rows_of(foresight, samples[rows], positions, (number + 1, foresight.given.frames))


def _rows_of(
    foresight: "Foresight", clip: "ParticleClip", places: "np.ndarray", sample_and_first: tuple[int, int]
) -> Iterator[tuple[Any, ...]]:
    """Yields the rows of one future, whose first frame is so many frames behind the first given one."""
    shot = foresight.shot
    sample, first = sample_and_first
    for frame, slot in (clip.track >= 0).nonzero().tolist():
        row, column = places[frame, slot].tolist()
        number = shot.first + first + frame
        yield (
            sample,
            number,
            round(number / shot.rate, 6),
            int(clip.track[frame, slot]),
            round(row, 3),
            round(column, 3),
            round(clip.particles.presence[frame, slot].item(), 4),
            bool(clip.seen[frame, slot]),
            first + frame >= foresight.given.frames,
        )


def _summary(foresight: "Foresight", out: Path) -> str:
    """What was predicted and, where the truth is known, its PSNR beside that of the last given frame."""
    from motes.ops.scores.metrics import psnr

    given = foresight.given.frames
    count = int((foresight.given.track >= 0).any(0).sum())
    lines = [
        f"{foresight.shot.name}: {given} frames given, {count} things, {foresight.future.frames} predicted: {out}"
    ]
    if not foresight.learnt:
        lines.append("this model did not learn how things move, so they go on as they went, ever slower")
    if not foresight.moves:
        lines.append("nothing moves in the given frames, so the prediction stands still or nearly so")
    truth = foresight.truth[given:]
    if len(truth):
        ours = psnr(foresight.drawn[given : given + len(truth)], truth)
        copied = psnr(foresight.truth[given - 1 : given].expand_as(truth), truth)
        lines += [
            f"PSNR after {step} frames: {ours[step - 1]:.1f} dB, of the last given frame {copied[step - 1]:.1f} dB"
            for step in HORIZONS
            if step <= len(truth)
        ]
    return "\n".join(lines)
