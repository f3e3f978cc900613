"""Restoration by descending on the latent: hidden parts of
digits by a GLO decoder, hidden parts of things by particles.

All settings are the defaults of `motes.explore.restore.Search`; nothing is chosen by looking at test
pictures.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from PIL.Image import Image as Picture
from torch import Tensor

from benchmarks.systems.system import Bar, Figures, finished, picture_rows, save_page_picture, trained
from motes import load
from motes.apps.drawing.marks import sheet
from motes.data import DATASETS
from motes.data.source import Source
from motes.explore.observation import Observation, low_resolution, masked, noisy
from motes.explore.restore import Memory, Search, remember, restore
from motes.models.base import Model
from motes.training.presets import PRESETS
from motes.training.recipe import Recipe, Training
from motes.types.batch import Losses
from motes.types.latents import Code

BARS = [
    Bar("half", "digits, lower half hidden: hidden-pixel error over the nearest neighbour's", "<=", 1.0),
    Bar("random", "digits, random 50 % hidden: hidden-pixel error over the nearest neighbour's", "<=", 0.999),
    Bar("linear", "largest difference from the ridge closed form, linear decoder", "<=", 1e-4),
    Bar(
        "object",
        "shapes, half of a thing hidden, particles: its hidden-pixel error over the nearest neighbour's",
        "<=",
        0.5,
    ),
    Bar("half_glo", "lower half: GLO, restored"),
    Bar("half_best", "lower half: GLO, the best start instead of the mean"),
    Bar("half_nearest", "lower half: nearest neighbour"),
    Bar("half_ridge", "lower half: principal components, ridge"),
    Bar("half_mean", "lower half: mean fill"),
    Bar("random_glo", "random 50 %: GLO, restored"),
    Bar("random_best", "random 50 %: GLO, the best start instead of the mean"),
    Bar("random_nearest", "random 50 %: nearest neighbour"),
    Bar("random_ridge", "random 50 %: principal components, ridge"),
    Bar("random_mean", "random 50 %: mean fill"),
    Bar("noise_glo", "noise of 0.3: GLO, restored"),
    Bar("noise_ridge", "noise of 0.3: principal components, ridge"),
    Bar("small_glo", "4 x 4 to 8 x 8 pixels: GLO, restored"),
    Bar("small_ridge", "4 x 4 to 8 x 8 pixels: principal components, ridge"),
    Bar("small_bilinear", "4 x 4 to 8 x 8 pixels: bilinear"),
    Bar("object_particles", "half a thing: particles, restored"),
    Bar("object_encoder", "half a thing: encoded and drawn, without a search"),
    Bar("object_nearest", "half a thing: nearest of 2,000 pictures"),
    Bar("object_ground", "half a thing: the ground alone"),
    Bar("whole_particles", "a whole thing hidden (nobody can know): particles"),
    Bar("whole_ground", "a whole thing hidden: the ground alone"),
]
CODE, SHOWN = 8, 8
HIDDEN_PARTS = ("half", "random")
Rows = list[list[Picture]]


@dataclass(frozen=True)
class Config:
    """Of the closed form."""

    image_size: tuple[int, int] = (8, 8)
    channels: int = 1


class Components(Model):
    """Principal components, for the exact test."""

    Config = Config

    def __init__(self, image: Tensor):
        super().__init__()
        flat = image.flatten(1)
        self.config = Config()
        self.mean = torch.nn.Parameter(flat.mean(0))
        self.axes = torch.nn.Parameter(principal_axes(flat - flat.mean(0)).contiguous())

    def loss(self, batch):
        return Losses(self.axes.sum(), {})

    def encode(self, image):
        return Code((image.flatten(1) - self.mean) @ self.axes)

    def decode(self, latent):
        return (latent.vector @ self.axes.T + self.mean).unflatten(1, (1, 8, 8))


def run(seed: int, folder: Path) -> Figures:
    digit_figures, digit_rows = restored_digits(seed, folder / "glo")
    thing_figures, thing_rows = restored_things(seed, particles_run(seed, folder.parent))
    if seed == 0:
        save_page_picture(sheet(digit_rows + thing_rows).quantize(128), "restoration")
    return digit_figures | thing_figures


def restored_digits(seed: int, folder: Path) -> tuple[Figures, Rows]:
    training = Training(2500, 64, 1e-3, evaluate_every=2500, seed=seed)
    recipe = Recipe(
        "glo", Source("digits", {"seed": seed}), {"code_dim": CODE, "reconstruction": "mse"}, training
    )
    glo = trained(recipe, folder)
    learnt, truth = digit_splits(seed)
    memory = remember(glo, learnt)
    components = Components(learnt)
    linear = remember(components, learnt)
    figures: Figures = {}
    rows: Rows = []
    observations = observed(truth, seed)
    for name, observation in observations.items():
        images = {**rivals(observation, learnt, linear), "glo": restore(glo, observation, memory).image}
        mask = torch.ones_like(truth)
        if name in HIDDEN_PARTS:
            images["best"] = restore(glo, observation, memory, Search(mode="best")).image
            mask = 1 - observation.known
        errors = {rival: masked_mean_squared(image, truth, mask) for rival, image in images.items()}
        figures |= {f"{name}_{rival}": error for rival, error in errors.items()}
        if name in HIDDEN_PARTS:
            figures[name] = errors["glo"] / errors["nearest"]
        rows += picture_rows((image[:SHOWN] for image in (with_grey(observation), images["glo"])), 48)
    rows += picture_rows([truth[:SHOWN]], 48)
    figures["linear"] = closed_form_difference(components, observations["half"].rows(slice(0, 20)), linear)
    return figures, rows


def closed_form_difference(components: Components, observation: Observation, linear: Memory) -> float:
    """The largest, between what the search finds with a linear decoder and what algebra does."""
    searched = restore(components, observation, linear, Search(steps=1000, neighbours=1, mode="best")).drawn
    return float((searched - ridge(observation, linear)).abs().max())


def with_grey(observation: Observation) -> Tensor:
    """Observed pictures with grey where they are hidden."""
    return observation.filled(torch.full((1, *observation.picture_shape), 0.5))


def digit_splits(seed: int) -> tuple[Tensor, Tensor]:
    digits = DATASETS["digits"]
    learnt, test = (digits(digits.Config(seed=seed), split) for split in ("train", "test"))
    return learnt.batch(range(len(learnt))).image, test.batch(range(len(test))).image


def observed(truth: Tensor, seed: int) -> dict[str, Observation]:
    """The lower half hidden; random pixels hidden; with noise; at half the resolution."""
    generator = torch.Generator().manual_seed(seed)
    half = torch.ones(len(truth), 1, 8, 8)
    half[..., 4:, :] = 0
    random = (torch.rand(half.shape, generator=generator) < 0.5).float()
    return {
        "half": masked(truth, half),
        "random": masked(truth, random),
        "noise": noisy(truth + 0.3 * torch.randn(truth.shape, generator=generator), 0.3),
        "small": low_resolution(F.avg_pool2d(truth, 2), 2),
    }


def rivals(observation: Observation, learnt: Tensor, linear: Memory) -> dict[str, Tensor]:
    """Those that need no learnt decoder; each as good as it can be made."""
    nearest = learnt[observation.distances(learnt).argmin(1)]
    images = {
        "nearest": nearest,
        "ridge": observation.composed(ridge(observation, linear)),
        "mean": learnt.mean(0).expand_as(nearest),
    }
    if observation.shrink > 1:
        images["bilinear"] = F.interpolate(
            observation.values, scale_factor=observation.shrink, mode="bilinear"
        )
    return images


def principal_axes(centred: Tensor) -> Tensor:
    return torch.linalg.svd(centred, full_matrices=False)[2][:CODE].T


def ridge(observation: Observation, linear: Memory) -> Tensor:
    """The likeliest picture under a normal distribution of the
    code: principal components, the prior weighted as in the search.
    """
    flat = linear.image.flatten(1).double()
    mean = flat.mean(0)
    axes = principal_axes(flat - mean)
    code = (flat - mean) @ axes
    weight = Search().caution * linear.residual + observation.noise**2
    penalty = weight * torch.linalg.inv(torch.cov(code.T))
    look = observation.observe(torch.eye(64).unflatten(1, (1, 8, 8))).flatten(1).T.double()
    drawn = []
    for row in range(len(observation)):
        root = observation.known[row].flatten().double().sqrt()
        matrix = root[:, None] * (look @ axes)
        target = root * (observation.values[row].flatten().double() - look @ mean)
        drawn.append(mean + axes @ torch.linalg.solve(matrix.T @ matrix + penalty, matrix.T @ target))
    return torch.stack(drawn).float().unflatten(1, (1, 8, 8))


def particles_run(seed: int, folder: Path) -> Path:
    """The preset dlp-quick with 400 steps, trained once for this benchmark and that of directions."""
    recipe = PRESETS["dlp-quick"].recipe
    training = replace(recipe.training, steps=400, max_minutes=0.0, evaluate_every=200, seed=seed)
    return finished(replace(recipe, training=training), folder / f"particles-{seed}")


def restored_things(seed: int, folder: Path) -> tuple[Figures, Rows]:
    shapes = DATASETS["shapes"]
    learnt, test = (shapes(shapes.Config(count=10000, held_out=1000), split) for split in ("train", "test"))
    chosen = range(32 * seed, 32 * seed + 32)
    image = test.batch(chosen).image
    truth = test.truth(chosen)
    pictures = learnt.batch(range(2000)).image
    model = load(folder)
    memory = remember(model, pictures[:300])
    figures, rows = half_hidden(model, memory, pictures, (image, *hide_things(truth, 0.5)))
    known, hidden = hide_things(truth, 1.0)
    restored = restore(model, masked(image, known), memory, Search(neighbours=0)).image
    figures["whole_particles"] = masked_mean_squared(restored, image, hidden)
    figures["whole_ground"] = masked_mean_squared(ground_of(memory, image), image, hidden)
    return figures, rows


def half_hidden(
    model: Any, memory: Memory, pictures: Tensor, scene: tuple[Tensor, Tensor, Tensor]
) -> tuple[Figures, Rows]:
    """`scene`: pictures, what is known of them, and the hidden pixels of the thing that is scored."""
    image, known, hidden = scene
    search = Search(neighbours=0)
    observation = masked(image, known)
    restored = restore(model, observation, memory, search).image
    drawn = {
        "particles": restored,
        "ground": ground_of(memory, image),
        "encoder": restore(model, observation, memory, replace(search, steps=0)).image,
        "nearest": pictures[observation.distances(pictures).argmin(1)],
    }
    figures = {f"object_{name}": masked_mean_squared(rival, image, hidden) for name, rival in drawn.items()}
    figures["object"] = figures["object_particles"] / figures["object_nearest"]
    shown = (with_grey(observation), restored, image)
    return figures, picture_rows((images[: SHOWN - 1] for images in shown), 0)


def ground_of(memory: Memory, image: Tensor) -> Tensor:
    return memory.image.median(0).values.expand_as(image)


def hide_things(truth: Any, share: float) -> tuple[Tensor, Tensor]:
    """A window over the right part of each picture's first
    thing: what is known, and the hidden pixels of the thing.
    """
    known_masks = []
    hidden_masks = []
    for mask, box in zip(truth.masks[:, 0].float(), truth.boxes[:, 0].int().tolist(), strict=True):
        columns = mask.sum(0)
        behind = (
            columns.flip(0).cumsum(0).flip(0) / columns.sum()
        )  # the share that lies at or right of a column
        first = int((behind <= share + 0.03).nonzero()[0]) if share < 1 else max(box[1] - 3, 0)
        window = torch.ones_like(mask)
        window[max(box[0] - 3, 0) : box[2] + 4, first : box[3] + 4] = 0
        known_masks.append(window[None])
        hidden_masks.append((mask * (1 - window))[None])
    return torch.stack(known_masks), torch.stack(hidden_masks)


def masked_mean_squared(image: Tensor, truth: Tensor, mask: Tensor) -> float:
    """Over the numbers where the mask is 1."""
    mask = mask.expand_as(truth)
    return float((mask * (image - truth).square()).sum() / mask.sum())
