"""Restoration by descending on the latent: hidden parts of digits by a GLO decoder, hidden parts of things by particles.

All settings are the defaults of `motes.explore.restore.Search`; nothing is chosen by looking at test pictures.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from bar import Bar
from runs import finished

from motes import load
from motes.apps.drawing.marks import sheet, to_picture
from motes.data import DATASETS
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
PICTURE = Path(__file__).parents[2] / "docs" / "family" / "restoration.png"


@dataclass(frozen=True)
class Config:
    """Of the closed form."""

    image_size: tuple[int, int] = (8, 8)
    channels: int = 1


class Components(Model):
    """Principal components, for the exact test."""

    Config = Config

    def __init__(self, image: torch.Tensor):
        super().__init__()
        flat = image.flatten(1)
        self.config, self.mean = Config(), torch.nn.Parameter(flat.mean(0))
        self.axes = torch.nn.Parameter(
            torch.linalg.svd(flat - flat.mean(0), full_matrices=False)[2][:CODE].T.contiguous()
        )

    def loss(self, batch):
        return Losses(self.axes.sum(), {})

    def encode(self, image):
        return Code((image.flatten(1) - self.mean) @ self.axes)

    def decode(self, latent):
        return (latent.vector @ self.axes.T + self.mean).unflatten(1, (1, 8, 8))


def measure(seed: int, folder: Path) -> dict[str, float]:
    found, lines = digits(seed, folder / "glo")
    more, others = things(seed, particles_run(seed, folder.parent))
    if seed == 0:
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        sheet(lines + others).quantize(128).save(PICTURE, optimize=True)
    return {**found, **more}


def digits(seed: int, run: Path) -> tuple[dict[str, float], list]:
    training = Training(2500, 64, 1e-3, evaluate_every=2500, seed=seed)
    run = finished(
        Recipe("glo", "digits", {"code_dim": CODE, "reconstruction": "mse"}, {"seed": seed}, training), run
    )
    data = DATASETS["digits"]
    learnt, held = (every(data(data.Config(seed=seed), split)) for split in ("train", "test"))
    glo, lines, found = load(run), [], {}
    memory, components = remember(glo, learnt), Components(learnt)
    linear = remember(components, learnt)
    generator = torch.Generator().manual_seed(seed)
    half = torch.ones(len(held), 1, 8, 8)
    half[..., 4:, :] = 0
    random = (torch.rand(half.shape, generator=generator) < 0.5).float()
    seen = {
        "half": masked(held, half),
        "random": masked(held, random),
        "noise": noisy(held + 0.3 * torch.randn(held.shape, generator=generator), 0.3),
        "small": low_resolution(F.avg_pool2d(held, 2), 2),
    }
    for name, observation in seen.items():
        hidden = 1 - observation.known if name in ("half", "random") else torch.ones_like(half)
        found |= {
            f"{name}_{rival}": error(image, held, hidden)
            for rival, image in rivals(observation, learnt, linear).items()
        }
        restored = restore(glo, observation, memory)
        found[f"{name}_glo"] = error(restored.image, held, hidden)
        grey = observation.filled(torch.full((1, 1, 1, 1), 0.5).expand(1, 1, 8, 8))
        lines += [[to_picture(one, 48) for one in image[:SHOWN]] for image in (grey, restored.image)]
        if name in ("half", "random"):
            found[f"{name}_best"] = error(
                restore(glo, observation, memory, Search(mode="best")).image, held, hidden
            )
            found[name] = found[f"{name}_glo"] / found[f"{name}_nearest"]
    lines.append([to_picture(one, 48) for one in held[:SHOWN]])
    few = seen["half"].rows(slice(0, 20))
    searched = restore(components, few, linear, Search(steps=1000, neighbours=1, mode="best")).drawn
    found["linear"] = float((searched - ridge(few, linear)).abs().max())
    return found, lines


def rivals(observation: Observation, learnt: torch.Tensor, linear: Memory) -> dict[str, torch.Tensor]:
    """Those that need no learnt decoder; each as good as it can be made."""
    nearest = learnt[observation.distances(learnt).argmin(1)]
    found = {
        "nearest": nearest,
        "ridge": observation.composed(ridge(observation, linear)),
        "mean": learnt.mean(0).expand_as(nearest),
    }
    if observation.shrink > 1:
        found["bilinear"] = F.interpolate(
            observation.values, scale_factor=observation.shrink, mode="bilinear"
        )
    return found


def ridge(observation: Observation, linear: Memory) -> torch.Tensor:
    """The likeliest picture under a normal law of the code: principal components, the prior weighted as in the search."""
    flat = linear.image.flatten(1).double()
    mean = flat.mean(0)
    axes = torch.linalg.svd(flat - mean, full_matrices=False)[2][:CODE].T
    code = (flat - mean) @ axes
    penalty = (Search().caution * linear.residual + observation.noise**2) * torch.linalg.inv(
        torch.cov(code.T)
    )
    look = observation.observe(torch.eye(64).unflatten(1, (1, 8, 8))).flatten(1).T.double()
    drawn = []
    for n in range(len(observation)):
        root = observation.known[n].flatten().double().sqrt()
        a = root[:, None] * (look @ axes)
        wanted = root * (observation.values[n].flatten().double() - look @ mean)
        drawn.append(mean + axes @ torch.linalg.solve(a.T @ a + penalty, a.T @ wanted))
    return torch.stack(drawn).float().unflatten(1, (1, 8, 8))


def particles_run(seed: int, folder: Path) -> Path:
    """The preset dlp-quick with 400 steps, trained once for this benchmark and that of directions."""
    run, recipe = folder / f"particles-{seed}", PRESETS["dlp-quick"].recipe
    return finished(
        replace(
            recipe,
            training=replace(recipe.training, steps=400, max_minutes=0.0, evaluate_every=200, seed=seed),
        ),
        run,
    )


def things(seed: int, run: Path) -> tuple[dict[str, float], list]:
    model, shapes = load(run), DATASETS["shapes"]
    learnt, test = (shapes(shapes.Config(count=10000, held_out=1000), split) for split in ("train", "test"))
    rows = range(32 * seed, 32 * seed + 32)
    held, truth, pictures = test.batch(rows).image, test.truth(rows), learnt.batch(range(2000)).image
    memory, search, found, lines = remember(model, pictures[:300]), Search(neighbours=0), {}, []
    ground = memory.image.median(0).values.expand_as(held)
    for name, share in (("object", 0.5), ("whole", 1.0)):
        known, hidden = hide(truth, share)
        observation = masked(held, known)
        restored = restore(model, observation, memory, search)
        found[f"{name}_particles"] = error(restored.image, held, hidden)
        found[f"{name}_ground"] = error(ground, held, hidden)
        if share < 1:
            found["object_encoder"] = error(
                restore(model, observation, memory, replace(search, steps=0)).image, held, hidden
            )
            found["object_nearest"] = error(pictures[observation.distances(pictures).argmin(1)], held, hidden)
            grey = observation.filled(torch.full((1, 1, 1, 1), 0.5).expand_as(held[:1]))
            lines = [
                [to_picture(one) for one in image[: SHOWN - 1]] for image in (grey, restored.image, held)
            ]
    found["object"] = found["object_particles"] / found["object_nearest"]
    return found, lines


def hide(truth, share: float) -> tuple[torch.Tensor, torch.Tensor]:
    """A window over the right part of each picture's first thing: what is known, and the hidden pixels of the thing."""
    known, hidden = [], []
    for mask, box in zip(truth.masks[:, 0].float(), truth.boxes[:, 0].int().tolist(), strict=True):
        columns = mask.sum(0)
        behind = (
            columns.flip(0).cumsum(0).flip(0) / columns.sum()
        )  # the share that lies at or right of a column
        first = int((behind <= share + 0.03).nonzero()[0]) if share < 1 else max(box[1] - 3, 0)
        window = torch.ones_like(mask)
        window[max(box[0] - 3, 0) : box[2] + 4, first : box[3] + 4] = 0
        known.append(window[None])
        hidden.append((mask * (1 - window))[None])
    return torch.stack(known), torch.stack(hidden)


def every(data) -> torch.Tensor:
    return data.batch(range(len(data))).image


def error(image: torch.Tensor, truth: torch.Tensor, where: torch.Tensor) -> float:
    """Mean squared, over the numbers where `where` is 1."""
    where = where.expand_as(truth)
    return float((where * (image - truth).square()).sum() / where.sum())
