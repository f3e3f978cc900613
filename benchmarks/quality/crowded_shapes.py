"""Train on crowded pictures, 40 shapes of a twentieth of the side at 256 px with 100 particles, and print how many are found.

python benchmarks/crowded_shapes.py [--steps 900] [--batch 8] [--seed 0] [--out runs/crowded]

Two measures: within a tenth of the picture's side, as everywhere (with 40 shapes that is nearly anywhere), and *inside the shape's
own box*, which is a twentieth of it. The trained model is also run with other numbers of particles: no parameter depends on it.
"""

import argparse
import datetime
import platform
import time
from dataclasses import replace
from pathlib import Path

import torch

from motes.apps.draw import sheet, to_picture, with_particles
from motes.models.base import Model
from motes.models.checkpoint import load
from motes.models.dlp import DeepLatentParticles
from motes.ops.matching import nearest_distance
from motes.ops.metrics import psnr
from motes.training import loop
from motes.training.presets import PRESETS
from motes.training.recipe import Recipe

SIDE, SHAPES, PARTICLES = 256, 40, 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/crowded"))
    told = parser.parse_args()
    recipe = crowded(told.steps, told.batch, told.seed)
    began = time.process_time()
    loop.train(recipe, told.out)
    minutes = (time.process_time() - began) / 60
    print(f"{datetime.date.today()}, {platform.machine()}, {torch.get_num_threads()} threads, seed {told.seed}")
    print(f"{told.steps} steps of {told.batch} pictures, {minutes:.1f} CPU minutes")
    print("| particles | found | clean | found inside | clean inside | counted | PSNR |\n|---|---|---|---|---|---|---|")
    model = load(told.out)
    for count in (60, PARTICLES, 200):
        print(f"| {count} | {' | '.join(scores(with_count(model, count), recipe, told.out))} |", flush=True)


def crowded(steps: int, batch: int, seed: int) -> Recipe:
    quick = PRESETS["dlp-quick"].recipe
    size = {"image_size": (SIDE, SIDE)}
    return replace(
        quick,
        model_config={**quick.model_config, **size, "num_particles": PARTICLES, "num_proposals": PARTICLES + 20},
        data_config={**size, "shapes": (SHAPES, SHAPES), "size": (11, 13), "count": 4000, "held_out": 100},
        training=replace(
            quick.training, steps=steps, batch_size=batch, seed=seed, max_minutes=0.0, evaluate_every=steps, validation_pictures=48
        ),
    )


def with_count(model: Model, count: int) -> Model:
    changed = DeepLatentParticles(replace(model.config, num_particles=count))
    changed.load_state_dict(model.state_dict())
    return changed.eval()


@torch.no_grad()
def scores(model: Model, recipe: Recipe, folder: Path) -> list[str]:
    data = loop.open_data(recipe, "test")
    sums, quality = torch.zeros(7), []
    for start in range(0, len(data), 10):
        rows = range(start, start + 10)
        image, truth = data.batch(rows).image, data.truth(rows)
        assert truth is not None and truth.centres is not None
        latent = model.encode(image)
        drawn = model.decode(latent)
        quality.append(psnr(drawn, image))
        there = latent.confident().presence > 0.5
        to_particle = nearest_distance(truth.centres, latent.position, there) / 2
        to_shape = nearest_distance(latent.position, truth.centres, truth.present) / 2
        sums += torch.tensor([truth.present.sum(), there.sum(), 0, 0, 0, 0, len(rows)])
        for column, near in ((2, 0.1), (4, 6 / SIDE)):  # 6 pixels: half a shape
            sums[column] += ((to_particle < near) & truth.present).sum()
            sums[column + 1] += ((to_shape < near) & there).sum()
        if start == 0:
            shown = [with_particles(image[0], latent.confident(), 0, 512), to_picture(drawn[0], 512)]
            sheet([shown]).save(folder / f"particles-{latent.position.shape[1]}.png")
    shapes, particles, found, clean, inside, clean_inside, pictures = sums.tolist()
    ratios = (found / shapes, clean / particles, inside / shapes, clean_inside / particles)
    return [*(f"{one:.3f}" for one in ratios), f"{particles / pictures:.1f} of {SHAPES}", f"{torch.cat(quality).mean():.1f}"]


if __name__ == "__main__":
    main()
