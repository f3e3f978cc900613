"""Directions: the gaze of generated eyes by a VAE's code, and the place of one thing by one particle.

What an edited picture shows is read by a network that learnt from other pictures of the same world; what it
misreads of true pairs, in which nothing but the gaze differs, is printed beside the leakage as its floor.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.systems.moved_things import Moves, move_one_thing, visible_factors
from benchmarks.systems.restoration import Rows, particles_run
from benchmarks.systems.system import Bar, Figures, picture_rows, save_page_picture, trained
from motes import load
from motes.apps.drawing.marks import sheet
from motes.data import DATASETS
from motes.data.base import Dataset
from motes.explore.direction import bending, of_labels, of_pairs, of_unpaired
from motes.explore.edit_scores import follows, leakage
from motes.nn.coders.networks import PictureShape, picture_network
from motes.ops.points.matching import nearest_index
from motes.ops.points.pixels import pixels_of_positions, points_of_pixels
from motes.training.presets import PRESETS

FACTORS = ("column", "row", "lids", "size", "skin")
LEARNT = 4000  # pictures that directions are learnt from
TESTED = 300  # pictures that are edited
READING = 1500  # steps of the reading network
METHODS = {
    "bending": "pairs, bending",
    "pairs": "pairs, straight",
    "ridge": "labels, ridge",
    "means": "class means",
    "unpaired": "unpaired means",
}
BARS = [
    Bar("bending_follows", "gaze as asked, R2: pairs, bending", ">=", 0.9),
    Bar("bending_leak", "largest leakage to another factor, % of its spread: pairs, bending", "<=", 10.0),
    Bar("particle_follows", "one thing moved as asked, R2: pairs of particles", ">=", 0.9),
    Bar("particle_leak", "largest leakage of that, % of the spread", "<=", 10.0),
    *[
        Bar(f"{method}_{measure}", f"{words}: {name}")
        for method, name in METHODS.items()
        for measure, words in (("follows", "R2"), ("leak", "leakage"))
    ][2:],
    *[Bar(f"bending_{name}", f"leakage to {name}: pairs, bending") for name in FACTORS[1:]],
    *[Bar(f"model_{name}", f"how {name} differs in reconstructions of true pairs") for name in FACTORS[1:]],
    *[Bar(f"floor_{name}", f"what the reader misreads of {name} in true pairs") for name in FACTORS[1:]],
    Bar("edited_error", "mean squared error against the picture as it would be: edited"),
    Bar("unedited_error", "the same: not edited"),
    Bar("pixels_error", "the same: mean difference of the pairs' pixels added (ghosts)"),
]
Factors = dict[str, Tensor]
Reader = Callable[[Tensor], Factors]
# Pictures of a split lie in pairs that differ in the gaze alone.
FIRST, SECOND = slice(0, None, 2), slice(1, None, 2)


@dataclass(frozen=True)
class Eyes:
    """The pictures, their latents and their factors."""

    image: Tensor
    latent: Any
    factors: Factors

    @property
    def turns(self) -> Tensor:
        """How far the gaze of each pair differs."""
        return self.factors["column"][SECOND] - self.factors["column"][FIRST]


def run(seed: int, folder: Path) -> Figures:
    gaze, gaze_rows = gaze_figures(seed, folder / "vae")
    particle, particle_rows = particle_figures(seed, particles_run(seed, folder.parent))
    if seed == 0:
        save_page_picture(sheet(gaze_rows + particle_rows).quantize(192), "directions")
    return gaze | particle


def gaze_figures(seed: int, folder: Path) -> tuple[Figures, Rows]:
    recipe = PRESETS["eyes-vae"].recipe
    model = trained(replace(recipe, training=replace(recipe.training, seed=seed)), folder)
    eyes = DATASETS["eyes"]
    learnt_data, test_data = (eyes(eyes.Config(**recipe.data.config), split) for split in ("train", "test"))
    everything = range(len(learnt_data))
    read = train_reader(learnt_data.batch(everything).image, true_factors(learnt_data, everything), seed)
    learnt = encoded_eyes(model, learnt_data, LEARNT)
    test = encoded_eyes(model, test_data, TESTED)
    directions = learnt_directions(learnt)
    target = 2 * torch.rand(TESTED, generator=torch.Generator().manual_seed(seed)) - 1
    amount = target - test.factors["column"]
    drawn = decoded(model, test.latent)
    figures: Figures = {}
    for method, direction in directions.items():
        edited = read(decoded(model, direction.moved(test.latent, amount)))
        figures |= {
            f"{method}_{name}": value
            for name, value in edit_figures(read(drawn), edited, amount, test).items()
        }
    figures |= floor_figures(read, test, drawn)
    figures |= pair_errors(model, directions["bending"], learnt, test)
    return figures, [gaze_row(model, directions["bending"], test, row) for row in (0, 4, 8, 12)]


def encoded_eyes(model: Any, data: Dataset, count: int) -> Eyes:
    image = data.batch(range(count)).image
    with torch.no_grad():
        return Eyes(image, model.encode(image), true_factors(data, range(count)))


def learnt_directions(learnt: Eyes) -> dict[str, Any]:
    before = learnt.latent[FIRST]
    after = learnt.latent[SECOND]
    column = learnt.factors["column"]
    right = column > 0
    difference = column[right].mean() - column[~right].mean()
    mean = of_unpaired(learnt.latent[~right], learnt.latent[right])
    nuisances = torch.stack([learnt.factors[name] for name in FACTORS[1:]], 1)
    return {
        "bending": bending(before, after, learnt.turns),
        "pairs": of_pairs(before, after, learnt.turns),
        "ridge": of_labels(learnt.latent, column, "ridge", nuisances),
        "means": of_labels(learnt.latent, column, "means"),
        "unpaired": replace(mean, step={name: step / difference for name, step in mean.step.items()}),
    }


def edit_figures(before: Factors, after: Factors, amount: Tensor, test: Eyes) -> Figures:
    """How well the gaze follows, and what leaks into each factor."""
    leaks = leakage(before, after, "column", test.factors)
    return {
        "follows": follows(amount, after["column"] - before["column"]),
        "leak": max(leaks.values()),
        **leaks,
    }


def floor_figures(read: Reader, test: Eyes, drawn: Tensor) -> Figures:
    """What the reader finds different within pairs, where the truth is
    that nothing is: of true pictures, and of their reconstructions.
    """
    floor = leakage(read(test.image[FIRST]), read(test.image[SECOND]), "column", test.factors)
    drawn_factors = read(drawn)
    first, second = ({name: value[pair] for name, value in drawn_factors.items()} for pair in (FIRST, SECOND))
    reconstructed = leakage(first, second, "column", test.factors)
    figures = {f"floor_{name}": leak for name, leak in floor.items()}
    return figures | {f"model_{name}": leak for name, leak in reconstructed.items()}


def pair_errors(model: Any, direction: Any, learnt: Eyes, test: Eyes) -> Figures:
    """Against the second picture of a pair: the first with
    the edit, without, and with the mean difference of pixels.
    """
    image = test.image[FIRST]
    edit = (
        decoded(model, direction.moved(test.latent[FIRST], test.turns)) - decoded(model, test.latent)[FIRST]
    )
    differences = learnt.image[SECOND] - learnt.image[FIRST]
    weighted = learnt.turns[:, None, None, None] * differences
    shift = weighted.sum(0) / learnt.turns.square().sum()
    pictures = {
        "edited": image + edit,
        "unedited": image,
        "pixels": image + test.turns[:, None, None, None] * shift,
    }
    target = test.image[SECOND]
    errors = {name: (picture.clamp(0, 1) - target).square().mean() for name, picture in pictures.items()}
    return {f"{name}_error": float(error) for name, error in errors.items()}


def gaze_row(model: Any, direction: Any, test: Eyes, row: int) -> list:
    """The picture, and as it is drawn looking to five sides."""
    latent = test.latent[row : row + 1]
    column = test.factors["column"][row]
    sides = (-0.9, -0.45, 0.0, 0.45, 0.9)
    drawn = [decoded(model, direction.moved(latent, float(side - column)))[0] for side in sides]
    return picture_rows([(test.image[row], *drawn)], 96)[0]


def true_factors(data: Dataset, index: range) -> Factors:
    scene = data.truth(index).scene  # type: ignore[union-attr]
    gaze = {"column": scene["gaze"][:, 1], "row": scene["gaze"][:, 0]}
    return gaze | {name: scene[name] for name in ("lids", "size", "skin")}


def train_reader(image: Tensor, factors: Factors, seed: int) -> Reader:
    """A network that reads all factors from a picture."""
    torch.manual_seed(seed)
    target = torch.stack([factors[name] for name in FACTORS], 1)
    middle = target.mean(0)
    spread = target.std(0)
    read = picture_network("convolutional").reader(PictureShape(*image.shape[1:]), 24, len(FACTORS))
    optimizer = torch.optim.Adam(read.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, READING)
    for _ in range(READING):
        batch = torch.randint(0, len(image), (48,))
        loss = (read(image[batch]) - (target[batch] - middle) / spread).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    read.eval()

    def factors_in(pictures: Tensor) -> Factors:
        with torch.no_grad():
            numbers = read(pictures) * spread + middle
        return {name: numbers[:, column] for column, name in enumerate(FACTORS)}

    return factors_in


def particle_figures(seed: int, folder: Path) -> tuple[Figures, Rows]:
    """The thing of each picture that has most room is moved
    along its row; in pairs to learn from, and by edits.
    """
    model = load(folder)
    shapes = DATASETS["shapes"]
    config = shapes.Config(count=10000, held_out=1000)
    generator = torch.Generator().manual_seed(seed)
    learnt = move_one_thing(shapes(config, "train"), 150, generator)
    with torch.no_grad():
        direction = of_pairs(model.encode(learnt.image), model.encode(learnt.moved), learnt.amount)
        test = move_one_thing(shapes(config, "test"), 100, generator)
        latent = model.encode(test.image)
    particle = particle_of_thing(latent, test)
    drawn = decoded(model, latent)
    edited = decoded(model, direction.moved(latent, test.amount, particle))
    before, after, true = (visible_factors(image, test) for image in (drawn, edited, test.image))
    leaks = leakage(before, after, "column", true)
    figures = {"particle_follows": follows(test.amount, after["column"] - before["column"])}
    figures["particle_leak"] = max(leaks.values())
    figures |= {f"particle_{name}": leak for name, leak in leaks.items()}
    return figures, picture_rows((image[:9] for image in (test.image, edited)), 0)


def particle_of_thing(latent: Any, moves: Moves) -> Tensor:
    """The particle that is nearest to each picture's thing."""
    present = latent.confident().presence > 0.5
    centre = moves.truth.centres[torch.arange(len(moves.image)), moves.thing][:, None]
    size = (moves.image.shape[2], moves.image.shape[3])
    places = points_of_pixels(pixels_of_positions(latent.position, size), size)
    return nearest_index(centre, places, present)[:, 0].clamp_min(0)


def decoded(model: Any, latent: Any) -> Tensor:
    with torch.no_grad():
        return model.decode(latent).clamp(0, 1)
