"""Slots beside particles: IODINE, Slot Attention and `dlp`, trained for equal CPU minutes.

python benchmarks/quality/slots.py --worlds tetrominoes --cpu-minutes 8 --seeds 0 1 2 [--out runs/slots]

Each run is `motes train PRESET`, in one thread with --threads 1, ended by its minutes. A run that is there already is
scored again, not trained again. Beside them stands a rival without learning: K-means of the colours of each picture's
pixels, with as many clusters as there may be things, and one for the ground.

The second table is of the runs on tetrominoes, `ambiguous` ones (trained on those alone) included: four pieces with as
many slots as trained and one more, and ambiguous pictures, of which sixteen draws are read.
"""

import argparse
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from einops import rearrange, repeat
from jaxtyping import Float
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.clocks import steps_of, trained
from benchmarks.report import Table, header, parser
from motes.data.source import Source
from motes.evaluation import Asked, Score, evaluate
from motes.models.abilities import Redraws
from motes.models.base import Model
from motes.models.checkpoint import load
from motes.training.recipe import read_recipe
from motes.types.batch import Batch, Losses
from motes.types.latents import Image
from motes.types.slots import Slots

SYSTEMS = ("iodine", "slot-attention", "dlp")
# data of a world -> the preset of each system and what it needs there; `dlp` alone looks at the pictures and chooses
WORLDS = {
    "tetrominoes": {
        "iodine": "iodine-quick",
        "slot-attention": "slot-attention-quick",
        "dlp": "dlp --data tetrominoes",
    },
    "ambiguous": {
        "iodine": "iodine-quick --data.ambiguous",
        "slot-attention": "slot-attention-quick --data.ambiguous",
        "dlp": "dlp --data tetrominoes --data.ambiguous",
    },
    "sprites": {
        "iodine": "iodine-sprites-quick",
        "slot-attention": "slot-attention-quick --data sprites --model.slots 6 --model.side 16 --model.stride 4",
        "dlp": "dlp --data sprites",
    },
    "scenes": {
        "iodine": "iodine-quick --data scenes --model.slots 7 --model.starts 7 7 7 7 --model.side 16",
        "slot-attention": "slot-attention-quick --data scenes --model.slots 7 --model.side 16 --model.stride 4",
        "dlp": "dlp-scenes",
    },
}
# the pictures of a world, and the clusters of the rival: the most things, and the ground
PICTURES = {
    "tetrominoes": (Source("tetrominoes"), 4),
    "ambiguous": (Source("tetrominoes", {"ambiguous": True}), 4),
    "sprites": (Source("sprites"), 6),
    "scenes": (Source("scenes"), 7),
}
PIECES = ("tetrominoes", "ambiguous")
ROUNDS = 10  # of K-means
MASKS = ("ari_fg", "ari", "mbo", "miou")
OWNERSHIP = ("slots/split", "slots/merged", "slots/lost", "slots/unused")
READINGS = ("draws/agreement", "draws/ari_fg", "draws/ari_fg_best_bound")
WAYS = ("draws/valid", "draws/tilings", "draws/several")
STARTS_OF_WAYS = 4  # the best of which is a reading of an ambiguous picture
STEPS = 1_000_000  # more than fit into the minutes
BATCH = 40


def main() -> None:
    arguments_parser = parser(__doc__, seeds=[0], threads=1, cpu_minutes=8.0, out=Path("runs/slots"))
    arguments_parser.add_argument("--worlds", nargs="+", choices=WORLDS, default=["tetrominoes"])
    arguments_parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    arguments_parser.add_argument(
        "--pictures", type=int, default=320, help="of the test split that are scored"
    )
    arguments = arguments_parser.parse_args()
    torch.set_num_threads(arguments.threads)
    header(
        f"slots and particles, {arguments.cpu_minutes:g} CPU minutes of training, {arguments.pictures} pictures",
        threads=arguments.threads,
        seeds=arguments.seeds,
    )
    table = Table(("world", "system", "seed", *MASKS, "mse", *OWNERSHIP, "steps"), arguments.format)
    for world in arguments.worlds:
        table.row(world, "K-means of colours", "-", *rival_cells(world, arguments.pictures), "-")
        for system, seed, run in runs(arguments, world):
            scores = scored(run, load(run), arguments.pictures, ("masks", "pictures", "slots"))
            table.row(world, system, seed, *cells(scores, (*MASKS, "mse", *OWNERSHIP)), steps_of(run))
    of_pieces = [world for world in PIECES if world in arguments.worlds]
    if of_pieces:
        print()
        harder_table(arguments, of_pieces)


def runs(arguments: argparse.Namespace, world: str) -> Iterator[tuple[str, int, Path]]:
    """Train each system with each seed, unless that is done; system, seed and folder of each run."""
    for system in arguments.systems:
        for seed in arguments.seeds:
            run = arguments.out / f"{world}-{system}-{arguments.cpu_minutes:g}-{seed}"
            options = ["--seed", seed, "--steps", STEPS, "--max-minutes", arguments.cpu_minutes]
            trained(run, *WORLDS[world][system].split(), *options, threads=arguments.threads)
            yield system, seed, run


def scored(
    run: Path, model: Model, pictures: int, names: tuple[str, ...], **options: object
) -> dict[str, Score]:
    """The scores of the model of a run on its data with other options."""
    source = read_recipe(run).data
    data = Source(source.name, {**source.config, **options}).open("test")
    asked = Asked(names, refuse=False)
    return evaluate(model, data, pictures, BATCH, asked=asked)


def with_slots(run: Path, more: int) -> Model:
    """The model of a run with more slots than it was trained with, in every start where it has several."""
    model = load(run)
    if not more:
        return model
    options = {"slots": model.config.slots + more}
    starts = getattr(model.config, "starts", None)
    if starts is not None:
        options["starts"] = tuple(slots + more for slots in starts)
    return load(run, "cpu", options)


def with_starts(run: Path, count: int) -> Model:
    """The model of a run whose readings are the best of so many starts, with as many slots as its first start has."""
    model = load(run)
    starts = getattr(model.config, "slots_of_starts", None)
    return model if starts is None else load(run, "cpu", {"starts": starts[:1] * count})


def harder_table(arguments: argparse.Namespace, worlds: list[str]) -> None:
    columns = (
        "trained on",
        "system",
        "seed",
        "four pieces, K",
        "K + 1",
        "T updates",
        "2 T",
        *READINGS,
        *WAYS,
    )
    table = Table(columns, arguments.format)
    for world in worlds:
        for system, seed, run in runs(arguments, world):
            if isinstance(load(run), Redraws):
                table.row(world, system, seed, *harder_cells(run, arguments.pictures))


def harder_cells(run: Path, pictures: int) -> list[str]:
    """More pieces than trained with, more updates, and other draws, also of ambiguous pictures."""
    model = with_starts(run, 1)
    assert isinstance(model, Redraws)
    usual = model.usual_updates
    four = [scored(run, with_slots(run, more), pictures, ("masks",), pieces=4)["ari_fg"] for more in (0, 1)]
    readings = scored(run, model, pictures, ("updates", "draws"))
    updates = [readings[f"updates/{count}/ari_fg"] for count in (usual, 2 * usual)]
    ways = scored(run, with_starts(run, STARTS_OF_WAYS), pictures, ("draws",), ambiguous=True)
    values = [f"{score.value:.3f}" for score in (*four, *updates)]
    return [*values, *cells(readings, READINGS), *cells(ways, WAYS)]


def cells(scores: dict[str, Score], names: tuple[str, ...]) -> list[str]:
    return [f"{scores[name].value:.4f}" if name in scores else "-" for name in names]


def rival_cells(world: str, pictures: int) -> list[str]:
    source, clusters = PICTURES[world]
    rival = ColourClusters(ClustersConfig(clusters))
    scores = evaluate(
        rival, source.open("test"), pictures, BATCH, asked=Asked(("masks", "pictures", "slots"), refuse=False)
    )
    return cells(scores, (*MASKS, "mse", *OWNERSHIP))


@dataclass(frozen=True)
class ClustersConfig:
    """How many colours."""

    slots: int


class ColourClusters(Model):
    """K-means of the colours of each picture's pixels, from the colours that lie farthest apart; nothing is learnt."""

    Config = ClustersConfig

    def __init__(self, config: ClustersConfig):
        super().__init__()
        self.config = config
        self.register_buffer("place", torch.zeros(()))

    def loss(self, batch: Batch) -> Losses:
        raise NotImplementedError

    def encode(self, image: Image) -> Slots:
        pixels = rearrange(image, "b c h w -> b (h w) c")
        colours = farthest(pixels, self.config.slots)
        for _ in range(ROUNDS):
            member = torch.nn.functional.one_hot(nearest(pixels, colours), self.config.slots).to(pixels)
            size = member.sum(1)[..., None]
            colours = torch.where(size > 0, member.mT @ pixels / size.clamp_min(1), colours)
        owner = rearrange(nearest(pixels, colours), "b (h w) -> b h w", h=image.shape[2])
        masks = torch.nn.functional.one_hot(owner, self.config.slots).movedim(-1, 1)
        layers = repeat(colours, "b k c -> b k c h w", h=image.shape[2], w=image.shape[3])
        certain = torch.full_like(colours, -20.0)
        return Slots(colours, certain, torch.ones_like(colours[..., 0]), (masks + 1e-9).log(), layers)

    def decode(self, latent: Slots) -> Image:
        return latent.mixed()

    def shares(self, latent: Slots) -> Float[Tensor, "B A H W"]:
        return latent.shares


def nearest(pixels: Float[Tensor, "B n C"], colours: Float[Tensor, "B K C"]) -> Tensor:
    return torch.cdist(pixels, colours).argmin(2)


def farthest(pixels: Float[Tensor, "B n C"], count: int) -> Float[Tensor, "B K C"]:
    """The first pixel's colour, then again and again the colour farthest from those chosen."""
    chosen = pixels[:, :1]
    distance = torch.full(pixels.shape[:2], math.inf)
    for _ in range(count - 1):
        distance = torch.minimum(distance, (pixels - chosen[:, -1:]).norm(dim=2))
        next_one = distance.argmax(1)[:, None, None].expand(-1, 1, pixels.shape[2])
        chosen = torch.cat([chosen, pixels.gather(1, next_one)], 1)
    return chosen


if __name__ == "__main__":
    main()
