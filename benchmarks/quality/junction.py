"""Which ways vehicles take over the junction of `traffic`, from exact places: what the network of motion can do when
nothing is lost in pictures.

python benchmarks/quality/junction.py [--steps 6000] [--action-steps 3000] [--picture docs/junction-futures.png]

Ten frames are given at three moments of held-out clips; 16 futures are drawn of each. `all` are the vehicles that are
in the picture at the start and so many frames later, `choosing` those of them that had a choice at the start and have
taken one of the ways by then: within 3 pixels of it, and of no other. `ways` is the share of the three ways that one of
the futures takes, `on a way` the share of futures that take one. Errors are in pixels of a picture of 64.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn import Parameter

from benchmarks.clocks import cpu_seconds
from benchmarks.report import Table, header, parser
from motes.data.base import Split
from motes.data.worlds.roads.traffic import Traffic
from motes.models.motion.action_losses import action_losses, worth_of_nat
from motes.models.motion.dynamics import Dynamics
from motes.models.motion.future import noise_of_samples, predicted
from motes.models.motion.history import History
from motes.models.motion.latent_actions import LASTS
from motes.models.motion.rivals import SteadyMotion
from motes.models.motion.rollouts import rollout_losses
from motes.models.video.dlp_graph import SHARES
from motes.models.video.dlp_graph_config import DlpGraphConfig
from motes.models.video.training_clips import TrainingClips
from motes.ops.points.pixels import pixels_of_points, pixels_of_positions, positions_of_pixels
from motes.ops.scores.forecasts import energy_score, inside_hull, last_inside, ways_taken
from motes.types.clips import ParticleClip
from motes.types.latents import Particles

SIZE = (64, 64)
FRAMES = 64
GIVEN = 10
STARTS = (10, 25, 40)
HORIZONS = (10, 20)
HISTORY = 6
ROLLED = 5
WINDOWS = 64
LEARNING_RATE = 3e-3
EVENTS = 0.5
SAMPLES = 16
# pixels from a way
REACH = 3.0
# of the picture of futures: vehicles, how many others lie between two of them, and pixels
PICTURED = 4
PICTURED_EVERY = 5
SIDE = 192
COLOURS = 64
GAP = 4
COLUMNS = ("error", "best of 16", "energy score", "inside the hull", "ways", "all three", "on a way")
Predictor = Callable[..., ParticleClip]


@dataclass(frozen=True)
class Junction:
    """Clips of true places in the picture, as tracks."""

    clip: ParticleClip
    data: Traffic

    @classmethod
    def of(cls, clips: int, split: Split) -> "Junction":
        data = Traffic(Traffic.Config(count=clips * FRAMES, held_out=clips * FRAMES, frames=FRAMES), split)
        points, present = data.places(range(clips * FRAMES))
        position = positions_of_pixels(pixels_of_points(points, SIZE), SIZE)
        is_seen = present & (position.abs() <= 1).all(-1)
        rows, count = is_seen.shape
        particles = Particles(
            position=position * is_seen[..., None],
            log_variance=torch.zeros(rows, count, 2),
            features=torch.zeros(rows, count, 1),
            feature_log_variance=torch.zeros(rows, count, 1),
            presence=is_seen.float(),
            background=torch.zeros(rows, 0),
        )
        number = torch.arange(count).expand(rows, -1).where(is_seen, -1)
        return cls(ParticleClip(particles, number, number, None, FRAMES), data)

    def ways(self, frame: int) -> Float[Tensor, "C K 3 P 2"]:
        """In pixels, of the vehicles of one frame of each clip."""
        return pixels_of_points(self.data.ways(range(frame, len(self.clip), FRAMES)), SIZE)


def main() -> None:
    arguments_parser = parser(__doc__, seeds=[0], threads=1, steps=6000)
    arguments_parser.add_argument("--action-steps", type=int, default=3000, help="of latent actions")
    arguments_parser.add_argument("--clips", type=int, default=400, help="to learn from")
    arguments_parser.add_argument("--held-out", type=int, default=100, help="clips to score")
    arguments_parser.add_argument("--picture", type=Path, help="of the futures of a few vehicles")
    arguments = arguments_parser.parse_args()
    torch.set_num_threads(arguments.threads)
    header("traffic, exact places", threads=arguments.threads, seeds=arguments.seeds)
    learnt = TrainingClips.of_tracks(Junction.of(arguments.clips, "train").clip)
    held_out = Junction.of(arguments.held_out, "test")
    table = Table(("what predicts", "vehicles, frames", "number", *COLUMNS, "CPU seconds"), arguments.format)
    add_rows(table, held_out, "constant velocity", SteadyMotion(SIZE).predict, "")
    for seed in arguments.seeds:
        torch.manual_seed(seed)
        gaussian = Dynamics(DlpGraphConfig(history=HISTORY, motion="gaussian"), 1)
        seconds = cpu_seconds(partial(train, gaussian, learnt, arguments.steps, seed))
        add_rows(table, held_out, f"gaussian, seed {seed}", predictor(gaussian), f"{seconds:.0f}")
        # what is expected is the same network, to which nothing of latent actions goes back
        torch.manual_seed(seed)
        latent = Dynamics(DlpGraphConfig(history=HISTORY, motion="latent"), 1)
        latent.load_state_dict(gaussian.state_dict(), strict=False)
        seconds = cpu_seconds(partial(train_actions, latent, learnt, arguments.action_steps, seed))
        add_rows(table, held_out, f"latent, seed {seed}", predictor(latent), f"{seconds:.0f} more")
        if arguments.picture:
            fans(held_out, [predictor(gaussian), predictor(latent)]).save(arguments.picture)


def train(dynamics: Dynamics, learnt: TrainingClips, steps: int, seed: int) -> None:
    """The stages of `dlp-graph`: single frames, roll-outs, and roll-outs from all over the clips."""

    def loss(step: int) -> Tensor:
        rolled = 1 if step < SHARES[0] * steps else ROLLED
        events = EVENTS if step < (1 - SHARES[-1]) * steps else 0.0
        return rollout_losses(dynamics, windows_of(learnt, rolled, events), HISTORY)[0]

    optimised(list(dynamics.parameters()), loss, steps, seed)
    dynamics.eval()


def train_actions(dynamics: Dynamics, learnt: TrainingClips, steps: int, seed: int) -> None:
    assert dynamics.latent is not None

    def loss(step: int) -> Tensor:
        windows = windows_of(learnt, LASTS, EVENTS)
        return action_losses(dynamics, windows, HISTORY, worth_of_nat(step / steps))[0]

    optimised(list(dynamics.latent.parameters()), loss, steps, seed)
    dynamics.eval()


def windows_of(learnt: TrainingClips, steps: int, events: float) -> ParticleClip:
    start = torch.randint(FRAMES - HISTORY - steps + 1, (WINDOWS,))
    first = torch.randint(learnt.clips.clips, (WINDOWS,)) * FRAMES + start
    return learnt.windows(first, HISTORY, steps, events)


def optimised(parameters: list[Parameter], loss: Callable[[int], Tensor], steps: int, seed: int) -> None:
    optimizer = torch.optim.Adam(parameters, LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        torch.manual_seed(1 + seed * steps + step)
        value = loss(step).mean()
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()


def predictor(dynamics: Dynamics) -> Predictor:
    def predict(given: ParticleClip, frames: int, steps: int, samples: int = 0) -> ParticleClip:
        noise = noise_of_samples(given, steps, samples, 0, dynamics.noise)
        with torch.no_grad():
            return predicted(dynamics, given.repeated(max(samples, 1)), steps, SIZE, noise)

    return predict


def add_rows(table: Table, junction: Junction, name: str, predict: Predictor, seconds: str) -> None:
    for horizon in HORIZONS:
        starts = [start for start in STARTS if start + horizon <= FRAMES]
        parts = [measured(junction, predict, start, horizon) for start in starts]
        for which, group in enumerate(("all", "choosing")):
            values = torch.cat([part[which] for part in parts])
            cells = [f"{value:.2f}" for value in values.mean(0).tolist()]
            ways = cells[4:] if group == "choosing" else [""] * 3
            table.row(name, f"{group}, {horizon}", len(values), *cells[:4], *ways, seconds)


def measured(
    junction: Junction, predict: Predictor, start: int, horizon: int
) -> tuple[Float[Tensor, "n 7"], Float[Tensor, "m 7"]]:
    """What stands in the columns, of all vehicles, and of those that have chosen a way."""
    clip = junction.clip
    given = clip.window(start - GIVEN, GIVEN)
    expected = pixels(predict(given, GIVEN, horizon))[:, -1]
    futures = pixels(predict(given, GIVEN, horizon, samples=SAMPLES)).unflatten(0, (-1, SAMPLES))
    last = clip.window(start + horizon - 1, 1)
    truth = pixels(last)[:, 0]
    ends = futures[:, :, -1].transpose(1, 2)
    last_ends = last_inside(futures.permute(0, 3, 1, 2, 4), SIZE)
    ways = junction.ways(start - 1)
    reach = torch.full(truth.shape[:2], REACH)
    taken = ways_taken(last_ends, ways, reach)
    columns = [
        (expected - truth).norm(dim=-1),
        (ends - truth[:, :, None]).norm(dim=-1).amin(-1),
        energy_score(ends, truth),
        inside_hull(ends, truth),
        taken.any(2).float().mean(-1),
        taken.any(2).all(-1),
        taken.any(3).float().mean(-1),
    ]
    values = torch.stack([column.float() for column in columns], -1)
    is_known = History.of(given, HISTORY).tracked[..., -2:].all(-1)
    is_in_both = is_known & (last.track >= 0)
    has_chosen = is_in_both & ways_taken(truth[:, :, None], ways, reach).any((2, 3))
    return values[is_in_both], values[has_chosen]


def pixels(clip: ParticleClip) -> Float[Tensor, "B T K 2"]:
    return clip.by_clip(pixels_of_positions(clip.particles.position, SIZE))


def fans(junction: Junction, predictors: list[Predictor]) -> Image.Image:
    """A row for each of a few vehicles that are about to choose: the futures that each of the predictors draws."""
    start, horizon = STARTS[0], HORIZONS[0]
    ways = junction.ways(start - 1)
    truth = pixels(junction.clip.window(start + horizon - 1, 1))[:, 0]
    has_chosen = ways_taken(truth[:, :, None], ways, torch.full(truth.shape[:2], REACH)).any((2, 3))
    is_given = junction.clip.window(start - 1, 1).track >= 0
    chosen = (has_chosen & is_given).nonzero()[::PICTURED_EVERY][:PICTURED].tolist()
    sheet = Image.new(
        "RGB", ((SIDE + GAP) * len(chosen) - GAP, (SIDE + GAP) * len(predictors) - GAP), "white"
    )
    for column, (number, slot) in enumerate(chosen):
        given = replace(junction.clip[clip_rows(number, start)], frames=GIVEN)
        picture = junction.data.pixels([number * FRAMES + start - 1])[0].transpose(1, 2, 0)
        for row, predict in enumerate(predictors):
            drawn = pixels(predict(given, GIVEN, horizon, samples=SAMPLES))[:, :, slot]
            path = torch.cat([pixels(given)[:, -1:, slot].expand(SAMPLES, -1, -1), drawn], 1)
            true = pixels(replace(junction.clip[clip_rows(number, start + horizon)], frames=GIVEN))[
                :, :, slot
            ]
            tile = with_paths(picture, path, true)
            sheet.paste(tile, (column * (SIDE + GAP), row * (SIDE + GAP)))
    # few colours, so that the file is small
    return sheet.quantize(COLOURS)


def clip_rows(number: int, end: int) -> slice:
    """The rows of the frames of a clip before this one, as many as are given."""
    return slice(number * FRAMES + end - GIVEN, number * FRAMES + end)


def with_paths(picture: np.ndarray, futures: Tensor, truth: Tensor) -> Image.Image:
    """The picture with the paths of futures in orange, and the true one in white."""
    tile = Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(tile)
    for paths, colour, width in ((truth, "white", 3), (futures, (255, 140, 0), 1)):
        for path in ((paths + 0.5) * SIDE / SIZE[0]).tolist():
            pen.line([(column, row) for row, column in path], colour, width)
    return tile


if __name__ == "__main__":
    main()
