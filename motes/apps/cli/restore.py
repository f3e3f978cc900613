"""`motes restore`: a picture of which a part is hidden, noisy or seen from afar, completed by a trained
model."""

import argparse
from pathlib import Path
from typing import Any

from motes.apps.cli.picture_arguments import add_fit
from motes.apps.drawing.save import refuse_other_kinds, save_picture
from motes.errors import UserError

ABOUT = "complete a picture of which not all was seen: motes restore RUN PICTURE --mask M"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, help="a run or checkpoint folder; any model that draws")
    parser.add_argument("picture", type=Path, help="the picture; it is brought to the model's size")
    parser.add_argument("--out", type=Path, default=Path("restored.png"), help="picture file to write")
    parser.add_argument(
        "--mask",
        type=Path,
        help="a picture of the same shape: white where the picture is hidden, black where it is seen",
    )
    parser.add_argument(
        "--noise",
        type=float,
        default=0.0,
        help="standard deviation of the picture's noise; black is 0, white is 1",
    )
    parser.add_argument(
        "--shrink",
        type=int,
        default=1,
        help="the picture shows means over squares of so many of the model's pixels",
    )
    parser.add_argument(
        "--data", help="training pictures, from which is learnt what is likely; by default those of the run"
    )
    parser.add_argument("--pictures", type=int, default=1000, help="so many of them at most")
    parser.add_argument(
        "--mode",
        choices=("mean", "best"),
        default="mean",
        help="the mean of what several starts find, or the best of it",
    )
    parser.add_argument("--steps", type=int, default=200, help="of the descent")
    parser.add_argument(
        "--neighbours", type=int, default=4, help="starts from training pictures that resemble what is seen"
    )
    parser.add_argument(
        "--caution", type=float, default=3.0, help="more: likelier pictures; less: nearer to what was seen"
    )
    parser.add_argument(
        "--beside",
        action="store_true",
        help="what was seen, the restored picture, and the training picture nearest to it",
    )
    add_fit(parser)


def run(told: argparse.Namespace) -> None:
    """Words are checked before torch is imported."""
    for path in (told.run, told.picture, *([told.mask] if told.mask else [])):
        if not path.exists():
            raise UserError(f"{path} does not exist")
    refuse_other_kinds(told.out)
    if told.mask is None and told.noise == 0 and told.shrink == 1:
        raise UserError(
            "nothing of the picture is hidden; name what is with --mask FILE, or say --noise 0.1 or --shrink 2"
        )
    if (
        min(told.noise, told.caution) < 0
        or min(told.shrink, told.pictures) < 1
        or min(told.steps, told.neighbours) < 0
    ):
        raise UserError(
            "--noise, --caution, --steps and --neighbours must not be negative, --shrink and --pictures at least 1"
        )
    _restore(told)


def _restore(told: argparse.Namespace) -> None:
    from motes.apps.cli.commands import recipe_for
    from motes.apps.drawing.marks import sheet, to_picture
    from motes.apps.session.session import Session
    from motes.explore.restore import Search, remember, restore

    session = Session.open(told.run)
    observation = _observation(told, session)
    data = recipe_for(told.run, session.model, told.data).source.open("train")
    memory = remember(session.model, data.batch(range(min(told.pictures, len(data)))).image)
    search = Search(told.steps, neighbours=told.neighbours, caution=told.caution, mode=told.mode)
    found = restore(session.model, observation, memory, search)
    pictures = [found.image[0]]
    if told.beside:
        nearest = memory.image[observation.distances(memory.image)[0].argmin()]
        pictures = [
            observation.filled(memory.image.new_full((1, 1, 1, 1), 0.5).expand_as(found.image))[0],
            found.image[0],
            nearest,
        ]
    save_picture(sheet([[to_picture(one, 256 if told.beside else 0) for one in pictures]]), told.out)
    known = observation.known.expand_as(observation.values).sum()
    fits = float((observation.error(found.drawn) / known.clamp_min(1)).sqrt()[0])
    print(
        f"what is drawn differs by {fits:.3f} from what was seen (root of the mean square; white is 1): {told.out}"
    )


def _observation(told: argparse.Namespace, session: Any) -> Any:
    import torch

    from motes.data.files.picture_files import load_picture
    from motes.explore.observation import Observation

    config = session.model.config
    size = tuple(side // told.shrink for side in config.image_size)
    if any(side % told.shrink for side in config.image_size):
        raise UserError(
            f"--shrink {told.shrink} does not divide the model's {config.image_size[0]} x {config.image_size[1]} pixels"
        )

    def read(path: Path, channels: int) -> torch.Tensor:
        return (
            torch.tensor(load_picture(path, size, channels, told.fit)[None])
            .float()
            .div_(255)
            .to(session.device)
        )

    values = read(told.picture, config.channels)
    known = torch.ones_like(values[:, :1]) if told.mask is None else (read(told.mask, 1) < 0.5).float()
    if not known.any():
        raise UserError(
            f"{told.mask} hides everything; it should be white where the picture is hidden, black where it is seen"
        )
    return Observation(values, known, told.noise, told.shrink)
