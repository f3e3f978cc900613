"""What a perceptual loss buys: one autoencoder trained by squares and
by the pyramid, same steps, same seeds, scored on held-out shapes.

    python benchmarks/quality/sharpness.py [--steps 600] [--seeds 0 1 2] [--out FOLDER]

`edges`: the mean size of the drawn pictures' differences between neighbours over that of the originals; 1 is
as sharp, less is blurred. With --out, originals and both drawings as one PNG a seed.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.report import Table, header, parser
from motes.apps.drawing.marks import sheet, to_picture
from motes.data.base import Dataset
from motes.models.base import Model
from motes.models.checkpoint import load
from motes.ops.scores.metrics import psnr, ssim
from motes.training import loop
from motes.training.presets import PRESETS
from motes.types.latents import Image

LOSSES = ("mse", "pyramid")
SCORED = 256  # pictures


def main() -> None:
    arguments = parser(__doc__, steps=600, seeds=[0, 1, 2], out=None).parse_args()
    header("vae-quick", f"{arguments.steps} steps", threads=torch.get_num_threads(), seeds=arguments.seeds)
    table = Table(("loss", "seed", "PSNR", "SSIM", "edges"), arguments.format)
    for seed in arguments.seeds:
        drawings = []
        for loss in LOSSES:
            model, data = train_vae(loss, seed, arguments.steps)
            image = data.batch(range(SCORED)).image
            with torch.no_grad():
                drawn = model.decode(model.encode(image)).clamp(0, 1)
            table.row(loss, seed, *quality_cells(drawn, image))
            drawings.append(drawn)
        if arguments.out:
            arguments.out.mkdir(parents=True, exist_ok=True)
            pictures = [[to_picture(picture, 128) for picture in row[:8]] for row in (image, *drawings)]
            sheet(pictures).save(arguments.out / f"sharpness-{seed}.png")


def train_vae(loss: str, seed: int, steps: int) -> tuple[Model, Dataset]:
    recipe = PRESETS["vae-quick"].recipe
    training = replace(recipe.training, steps=steps, seed=seed, max_minutes=0.0, evaluate_every=steps)
    recipe = replace(recipe, model_config={**recipe.model_config, "reconstruction": loss}, training=training)
    with tempfile.TemporaryDirectory() as folder:
        return load(loop.train(recipe, Path(folder))), recipe.data.open("test")


def quality_cells(drawn: Image, image: Image) -> list[str]:
    sharpness = edges(drawn) / edges(image)
    return [f"{psnr(drawn, image).mean():.2f}", f"{ssim(drawn, image).mean():.3f}", f"{sharpness:.2f}"]


def edges(image: Image) -> float:
    return (image.diff(dim=2).abs().mean() + image.diff(dim=3).abs().mean()).item()


if __name__ == "__main__":
    main()
