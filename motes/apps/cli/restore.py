"""`motes restore`: a trained model completes a picture that is partly hidden, noisy or of low resolution.

Arguments are checked before torch is imported.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motes.apps.cli.arguments import RUN, Parser, add_fit, add_run, refuse_missing
from motes.apps.cli.recipe import recipe_for
from motes.apps.drawing.save import refuse_other_kinds, save_picture
from motes.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from motes.apps.session.session import Session
    from motes.explore.observation import Observation
    from motes.explore.restore import Memory, Restored

ABOUT = "complete a picture of which not all was seen: motes restore RUN PICTURE --mask M"


def add_arguments(parser: Parser) -> None:
    add_run(parser, f"{RUN}; any model that draws")
    parser.add_argument("picture", type=Path, help="the picture; it is brought to the model's size")
    parser.add_argument("--out", type=Path, default=Path("restored.png"), help="picture file to write")
    _add_what_is_known(parser)
    _add_search(parser)
    parser.add_argument(
        "--beside",
        action="store_true",
        help="what was seen, the restored picture, and the training picture nearest to it",
    )
    add_fit(parser)


def _add_what_is_known(parser: Parser) -> None:
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


def _add_search(parser: Parser) -> None:
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


def run(arguments: argparse.Namespace) -> None:
    _check(arguments)
    from motes.apps.session.session import Session
    from motes.explore.restore import Search, remember, restore

    session = Session.open(arguments.run)
    observation = _observation(arguments, session)
    memory = remember(session.model, _training_pictures(arguments, session))
    search = Search(
        arguments.steps, neighbours=arguments.neighbours, caution=arguments.caution, mode=arguments.mode
    )
    restored = restore(session.model, observation, memory, search)
    _save(arguments, observation, memory, restored)
    print(
        f"what is drawn differs by {_difference(observation, restored):.3f} from what was seen "
        f"(root of the mean square; white is 1): {arguments.out}"
    )


def _difference(observation: "Observation", restored: "Restored") -> float:
    """The root mean square difference between the drawn picture and the known pixels of the observation."""
    numbers = observation.known.expand_as(observation.values).sum()
    return float((observation.error(restored.drawn) / numbers.clamp_min(1)).sqrt()[0])


def _check(arguments: argparse.Namespace) -> None:
    refuse_missing(arguments.picture, *filter(None, [arguments.mask]))
    refuse_other_kinds(arguments.out)
    if arguments.mask is None and arguments.noise == 0 and arguments.shrink == 1:
        raise UserError(
            "nothing of the picture is hidden; name what is with --mask FILE, or say --noise 0.1 or --shrink 2"
        )
    _check_numbers(arguments)


def _check_numbers(arguments: argparse.Namespace) -> None:
    not_negative = (arguments.noise, arguments.caution, arguments.steps, arguments.neighbours)
    if min(not_negative) < 0 or min(arguments.shrink, arguments.pictures) < 1:
        raise UserError(
            "--noise, --caution, --steps and --neighbours must not be negative, "
            "--shrink and --pictures at least 1"
        )


def _training_pictures(arguments: argparse.Namespace, session: "Session") -> "Tensor":
    """The first training pictures, at most `--pictures` of them, as a tensor B C H W."""
    data = recipe_for(arguments.run, session.model.config, arguments.data).data.open("train")
    return data.batch(range(min(arguments.pictures, len(data)))).image


def _observation(arguments: argparse.Namespace, session: "Session") -> "Observation":
    """The observation to restore: the picture reduced by `--shrink`, its noise, and which pixels are
    visible."""
    import torch

    from motes.explore.observation import Observation

    config = session.model.config
    shrink = arguments.shrink
    rows, columns = config.image_size
    if rows % shrink or columns % shrink:
        raise UserError(f"--shrink {shrink} does not divide the model's {rows} x {columns} pixels")
    size = (rows // shrink, columns // shrink)
    values = _read(arguments.picture, size, config.channels, arguments.fit).to(session.device)
    visible = torch.ones_like(values[:, :1])
    if arguments.mask is not None:
        visible = _visible(arguments, size).to(session.device)
    return Observation(values, visible, arguments.noise, shrink)


def _visible(arguments: argparse.Namespace, size: tuple[int, int]) -> "Tensor":
    """The visible pixels as a tensor 1 1 H W: 1 where the picture's mask is black, 0 where it is white."""
    visible = (_read(arguments.mask, size, 1, arguments.fit) < 0.5).float()
    if not visible.any():
        raise UserError(
            f"{arguments.mask} hides everything; it should be white where the picture is hidden, "
            "black where it is seen"
        )
    return visible


def _read(path: Path, size: tuple[int, int], channels: int, fit: Any) -> "Tensor":
    """The picture file as a tensor 1 C H W with values in [0, 1]."""
    import torch

    from motes.data.files.picture_files import load_picture

    return torch.tensor(load_picture(path, size, channels, fit)[None]).float().div_(255)


def _save(
    arguments: argparse.Namespace, observation: "Observation", memory: "Memory", restored: "Restored"
) -> None:
    """Save the restored picture.

    With `--beside` it stands, enlarged, between the observation and the nearest training picture.
    """
    from motes.apps.drawing.marks import sheet, to_picture

    images = [restored.image[0]]
    if arguments.beside:
        images = [_seen_on_grey(observation, restored), restored.image[0], _nearest(observation, memory)]
    side = 256 if arguments.beside else 0
    save_picture(sheet([[to_picture(image, side) for image in images]]), arguments.out)


def _seen_on_grey(observation: "Observation", restored: "Restored") -> "Tensor":
    """The observed pixels, and grey where the picture was hidden, as a tensor C H W."""
    grey = restored.image.new_full((1, 1, 1, 1), 0.5).expand_as(restored.image)
    return observation.filled(grey)[0]


def _nearest(observation: "Observation", memory: "Memory") -> "Tensor":
    """The training picture nearest to the observed pixels, as a tensor C H W."""
    return memory.image[observation.distances(memory.image)[0].argmin()]
