"""What a perceptual loss buys: one autoencoder trained by squares and by the pyramid, same steps, same seeds, scored on held-out shapes.

    python benchmarks/sharpness.py [--steps 600] [--seeds 0 1 2] [--out FOLDER]

`edges`: the mean size of the drawn pictures' differences between neighbours over that of the originals; 1 is as sharp, less is blurred.
With --out, originals and both drawings as one PNG a seed.
"""

import argparse
import datetime
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from motes.data.base import Dataset
from motes.models.base import Model
from motes.models.checkpoint import load
from motes.ops.metrics import psnr, ssim
from motes.ops.types import Image
from motes.training import loop
from motes.training.presets import PRESETS

LOSSES = ("mse", "pyramid")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path)
    told = parser.parse_args()
    print(f"{datetime.date.today()}, vae-quick, {told.steps} steps\n\n| loss | seed | PSNR | SSIM | edges |\n|---|---|---|---|---|")
    for seed in told.seeds:
        drawn = {}
        for loss in LOSSES:
            model, data = trained(loss, seed, told.steps)
            image, drawn[loss] = draw(model, data)
            quality = f"{psnr(drawn[loss], image).mean():.2f} | {ssim(drawn[loss], image).mean():.3f}"
            print(f"| {loss} | {seed} | {quality} | {edges(drawn[loss]) / edges(image):.2f} |", flush=True)
        if told.out:
            told.out.mkdir(parents=True, exist_ok=True)
            save([image, *drawn.values()], told.out / f"sharpness-{seed}.png")


def trained(loss: str, seed: int, steps: int) -> tuple[Model, Dataset]:
    recipe = PRESETS["vae-quick"].recipe
    training = replace(recipe.training, steps=steps, seed=seed, max_minutes=0.0, evaluate_every=steps)
    recipe = replace(recipe, model_config={**recipe.model_config, "reconstruction": loss}, training=training)
    with tempfile.TemporaryDirectory() as place:
        return load(loop.train(recipe, Path(place))), loop.open_data(recipe, "test")


def draw(model: Model, data: Dataset, count: int = 256) -> tuple[Image, Image]:
    image = data.batch(range(count)).image
    with torch.no_grad():
        return image, model.decode(model.encode(image)).clamp(0, 1)


def edges(image: Image) -> float:
    return (image.diff(dim=2).abs().mean() + image.diff(dim=3).abs().mean()).item()


def save(rows: list[Image], path: Path) -> None:
    from motes.apps import draw

    draw.sheet([[draw.to_picture(picture, 128) for picture in row[:8]] for row in rows]).save(path)


if __name__ == "__main__":
    main()
