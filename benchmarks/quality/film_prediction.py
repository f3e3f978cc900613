"""Films without labels: how near the predicted frames come, beside the last given frame and straight motion.

python benchmarks/quality/film_prediction.py RUN=FILM RUN=FILM ... [--every 5] [--from 0.9]

RUN is a folder of `motes train FILM`. Ten frames are given, at moments all over the end of the film, which training
has not seen. PSNR in decibels: of the squared error over all moments (pooled), and the mean over moments. The last
frame, copied, is exact where nothing moves; `drawn` are the same predictions as the model alone draws them.
"""

import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from PIL import Image as Pictures
from torch import Tensor

from benchmarks.report import Table, header, parser
from motes.apps.session.footage import single_footage
from motes.apps.session.foresight import Foresight, Shot
from motes.apps.session.session import Session
from motes.models.motion.carried import carried
from motes.models.motion.future import in_drawing_order
from motes.models.motion.rivals import SteadyMotion

GIVEN = 10
HORIZONS = (1, 5, 10, 20)
ROWS = ("predicted", "drawn", "straight", "copy")


def main() -> None:
    arguments_parser = parser(__doc__, threads=1)
    arguments_parser.add_argument("runs", nargs="+", metavar="RUN=FILM")
    arguments_parser.add_argument("--every", type=int, default=5, help="frames between moments")
    arguments_parser.add_argument("--from", dest="start", type=float, default=0.9, help="share of the film")
    arguments = arguments_parser.parse_args()
    torch.set_num_threads(arguments.threads)
    header("prediction of films", f"{GIVEN} frames given", threads=arguments.threads)
    columns = [f"{horizon}: {kind}" for horizon in HORIZONS for kind in ("pooled", "mean")]
    table = Table(("film", "moments", "prediction", *columns), arguments.format)
    for pair in arguments.runs:
        run, _, film = pair.partition("=")
        errors = errors_of(Path(run), Path(film), arguments.start, arguments.every)
        for name in ROWS:
            moments = len(errors[name, HORIZONS[0]])
            table.row(Path(film).stem, moments, name, *cells(errors, name))


def errors_of(run: Path, film: Path, start: float, every: int) -> dict[tuple[str, int], list[float]]:
    """Squared errors of each kind of prediction at each horizon, a value for each moment."""
    session = Session.open(run)
    footage = single_footage(film)
    pictures = list(footage.frames())
    first = int(start * len(pictures))
    length = GIVEN + HORIZONS[-1]
    errors: dict[tuple[str, int], list[float]] = defaultdict(list)
    for moment in range(first, len(pictures) - length + 1, every):
        for name, predicted, truth in predictions(session, pictures[moment : moment + length]):
            for horizon in HORIZONS:
                error = (predicted[horizon - 1] - truth[horizon - 1]).square().mean()
                errors[name, horizon].append(float(error))
    return errors


@torch.no_grad()
def predictions(session: Session, pictures: Sequence[Pictures.Image]) -> list[tuple[str, Tensor, Tensor]]:
    foresight = session.foresee(Shot("film", pictures), GIVEN, HORIZONS[-1])
    truth = foresight.truth[GIVEN:]
    last = foresight.truth[GIVEN - 1 : GIVEN]
    return [
        ("predicted", foresight.drawn[GIVEN:], truth),
        ("drawn", session.model.decode(in_drawing_order(foresight.future)).clamp(0, 1), truth),
        ("straight", straight(session, foresight, last), truth),
        ("copy", last.expand_as(truth), truth),
    ]


def straight(session: Session, foresight: Foresight, last: Tensor) -> Tensor:
    """Every thing goes on by its last step, its pixels with it."""
    motion = SteadyMotion(session.model.config.image_size)
    future = motion.predict(foresight.given, GIVEN, HORIZONS[-1])
    return carried(session.model, foresight.given, future, last).clamp(0, 1)


def cells(errors: dict[tuple[str, int], list[float]], name: str) -> list[str]:
    shown = []
    for horizon in HORIZONS:
        values = torch.tensor(errors[name, horizon]).double().clamp_min(1e-7)
        decibels = (-10 * values.mean().log10(), -10 * values.log10().mean())
        shown += [f"{value:.2f}" for value in decibels]
    return shown


if __name__ == "__main__":
    main()
