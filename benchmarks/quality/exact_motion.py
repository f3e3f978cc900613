"""What comes next on the floor of `rolling`, from exact places: what the network of motion can do when nothing is lost
in pictures.

python benchmarks/quality/exact_motion.py --seeds 0 1 2 [--steps 6000] [--interactions graph none]

Errors are in lengths (a thing is 1 wide), means over the things of held-out clips; `hit` are those that have hit
another within so many frames. Ten frames are given at three moments of each clip; things that enter later are not
known, and may hit others. The worst seed is the one to quote.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from benchmarks.clocks import cpu_seconds
from benchmarks.report import Table, header, parser
from motes.data.worlds.solid.rolling import Rolling
from motes.data.worlds.solid.solids import SPHERE
from motes.models.motion.dynamics import Dynamics
from motes.models.motion.history import History
from motes.models.motion.rollouts import rollout_losses
from motes.models.video.dlp_graph import SHARES
from motes.models.video.dlp_graph_config import DlpGraphConfig
from motes.models.video.training_clips import TrainingClips, mirrored
from motes.types.clips import ParticleClip
from motes.types.latents import Particles

HORIZONS = (5, 10, 20, 50)
STARTS = (20, 45, 70)
# lengths of the floor that are half a picture
REACH = 8.0
HISTORY = 4
ROLLED = 5
# metal or not, a sphere or not
FEATURES = 2
WINDOWS = 64
LEARNING_RATE = 3e-3
# of the windows, the share drawn to where velocities change
EVENTS = 0.6


@dataclass(frozen=True)
class Floor:
    """Clips of true places as tracks, and who has hit another since the frame before."""

    clip: ParticleClip
    hit: Bool[Tensor, "B T K"]

    @classmethod
    def of(cls, data: Rolling) -> "Floor":
        motion = data.motion(np.arange(len(data)))
        place = torch.from_numpy(motion["position"]) / REACH
        has_entered = torch.from_numpy(motion["entered"])
        rows, count = has_entered.shape
        look = data.looks(np.arange(len(data)))
        features = np.stack([look["metal"], look["kind"] == SPHERE], -1).astype(np.float32)
        particles = Particles(
            position=place * has_entered[..., None],
            log_variance=torch.zeros(rows, count, 2),
            features=torch.from_numpy(features),
            feature_log_variance=torch.zeros(rows, count, FEATURES),
            presence=has_entered.float(),
            background=torch.zeros(rows, 0),
        )
        number = torch.arange(count).expand(rows, -1).where(has_entered, -1)
        clip = ParticleClip(particles, number, number, None, data.frames)
        return cls(clip, clip.by_clip(torch.from_numpy(motion["hits"]).any(-1)))


def main() -> None:
    arguments_parser = parser(__doc__, seeds=[0], threads=1, steps=6000)
    arguments_parser.add_argument("--interactions", nargs="+", default=["graph", "none"])
    arguments_parser.add_argument(
        "--looks", action="store_true", help="the network knows what is of metal, and what a sphere"
    )
    arguments_parser.add_argument("--clips", type=int, default=640, help="to learn from")
    arguments_parser.add_argument("--held-out", type=int, default=100, help="clips to score")
    arguments = arguments_parser.parse_args()
    torch.set_num_threads(arguments.threads)
    header("rolling, exact places", threads=arguments.threads, seeds=arguments.seeds)
    config = Rolling.Config(count=arguments.clips, held_out=arguments.held_out)
    learnt = Floor.of(Rolling(config, "train"))
    held_out = Floor.of(Rolling(config, "test"))
    ends = ("", ", hit", ", not hit")
    columns = ("seed", "what predicts", *(f"{horizon}{end}" for horizon in HORIZONS for end in ends))
    table = Table((*columns, "CPU seconds"), arguments.format)
    table.row("", "nothing moves", *errors(held_out, None, 0.0), "")
    table.row("", "constant velocity", *errors(held_out, None, 1.0), "")
    for seed in arguments.seeds:
        for interaction in arguments.interactions:
            torch.manual_seed(seed)
            options = DlpGraphConfig(
                history=HISTORY, interaction=interaction, steps=ROLLED, looks=arguments.looks
            )
            dynamics = Dynamics(options, FEATURES)
            seconds = cpu_seconds(partial(train, dynamics, learnt.clip, arguments.steps, seed))
            table.row(seed, interaction, *errors(held_out, dynamics.eval(), 0.0), f"{seconds:.0f}")


def train(dynamics: Dynamics, clip: ParticleClip, steps: int, seed: int) -> None:
    """The stages of `dlp-graph`: single frames, roll-outs, and roll-outs from all over the clips."""
    training = TrainingClips.of_tracks(clip)
    dynamics.fit(training.steps, training.looks)
    optimizer = torch.optim.Adam(dynamics.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        torch.manual_seed(1 + seed * steps + step)
        rolled = 1 if step < SHARES[0] * steps else ROLLED
        events = EVENTS if step < (1 - SHARES[-1]) * steps else 0.0
        start = torch.randint(clip.frames - HISTORY - rolled + 1, (WINDOWS,))
        first = torch.randint(clip.clips, (WINDOWS,)) * clip.frames + start
        # the floor has no side
        windows = mirrored(training.windows(first, HISTORY, rolled, events), True)
        loss, _ = rollout_losses(dynamics, windows, HISTORY)
        optimizer.zero_grad()
        loss.mean().backward()
        torch.nn.utils.clip_grad_norm_(dynamics.parameters(), 1.0)
        optimizer.step()
        schedule.step()


def errors(floor: Floor, dynamics: Dynamics | None, share: float) -> Iterator[str]:
    """The mean error at each horizon, of all things, of those that were hit, and of the others.

    Without a network, things go on by this share of their last step.
    """
    parts = [_errors_from(floor, start, dynamics, share) for start in STARTS]
    for horizon in range(len(HORIZONS)):
        error, is_hit = (torch.cat([part[which][horizon] for part in parts]) for which in (0, 1))
        yield from (f"{values.mean():.3f}" for values in (error, error[is_hit], error[~is_hit]))


def _errors_from(
    floor: Floor, start: int, dynamics: Dynamics | None, share: float
) -> tuple[list[Float[Tensor, "n"]], list[Bool[Tensor, "n"]]]:
    clip = floor.clip
    history = History.of(clip.window(start - HISTORY, HISTORY), HISTORY)
    counted = history.tracked.all(-1)
    places = clip.by_clip(clip.particles.position)
    lengths = []
    hits = []
    for step in range(1, HORIZONS[-1] + 1):
        with torch.no_grad():
            if dynamics is None:
                history = history.followed_by(history.newest + share * history.step, history.presence)
            else:
                history = dynamics.after(history)
        if step in HORIZONS:
            error = REACH * (history.newest - places[:, start + step - 1]).norm(dim=-1)
            lengths.append(error[counted])
            hits.append(floor.hit[:, start : start + step].any(1)[counted])
    return lengths, hits


if __name__ == "__main__":
    main()
