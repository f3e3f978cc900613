"""The paired autoencoder on two generated people: swaps against their truth, the mean face, and two encoders that share nothing."""

from dataclasses import replace
from pathlib import Path

import torch
from bar import Bar
from PIL import Image as Pictures
from runs import finished, seeded

from motes import load
from motes.apps.draw import sheet, to_picture
from motes.data.base import Dataset
from motes.models.paired import PairedAutoencoder
from motes.training.loop import open_data
from motes.training.presets import PRESETS
from motes.training.recipe import Recipe

BARS = [
    Bar(
        "over_mean",
        "swap's squared error inside brows, eyes and mouth over that of the other person's mean face",
        "<=",
        0.999,
    ),
    Bar("over_separate", "the same over that of a swap between two separate encoders", "<=", 0.999),
    Bar("swap", "swap's squared error inside the features"),
    Bar("mean", "the mean face's"),
    Bar("separate", "the swap's between separate encoders"),
    Bar("drawn", "reconstruction's error there, no swap"),
    Bar("drawn_separate", "reconstruction's error there, separate encoders"),
    Bar("over_mean_all", "swap's error over the mean face's, in the whole picture"),
    Bar("guessed", "share of pictures whose domain is guessed"),
]
ROOT = Path(__file__).parents[2]
FEATURES = [*range(17, 27), *range(36, 68)]  # of the 68 points: brows, eyes, mouth
REACH = 0.06  # around each point, in half pictures
COUNT = 200


def measure(seed: int, folder: Path) -> dict[str, float]:
    recipe = seeded(PRESETS["paired-faces"].recipe, seed)
    recipe = replace(recipe, data_config={**recipe.data_config, "landmarks": 68})
    apart = replace(recipe, model_config={**recipe.model_config, "encoders": 2})
    shared, separate = (
        load(finished(one, folder / place)).eval() for one, place in ((recipe, "shared"), (apart, "separate"))
    )
    assert isinstance(shared, PairedAutoencoder) and isinstance(separate, PairedAutoencoder)
    data = open_data(recipe, "test")
    other = open_data(replace(recipe, data_config={**recipe.data_config, "exchanged": True}), "test")
    with torch.no_grad():
        found = scores(shared, separate, data, other, mean_faces(recipe))
        if seed == 0:
            picture(shared, separate, data, other).save(ROOT / "docs/family/paired.png", optimize=True)
    return found


def scores(
    shared: PairedAutoencoder, separate: PairedAutoencoder, data: Dataset, other: Dataset, means: torch.Tensor
) -> dict[str, float]:
    batch, wanted = data.batch_with(range(COUNT), shared.needs), other.batch(range(COUNT)).image
    domain, here, there = batch.facts["domain"], features(data), features(other)
    drawn, swapped = both(shared, batch.image, domain)
    drawn_apart, swapped_apart = both(separate, batch.image, domain)
    mean = means[1 - domain]
    found = {
        "swap": error(swapped, wanted, there),
        "mean": error(mean, wanted, there),
        "separate": error(swapped_apart, wanted, there),
        "drawn": error(drawn, batch.image, here),
        "drawn_separate": error(drawn_apart, batch.image, here),
        "over_mean_all": float((swapped - wanted).square().mean() / (mean - wanted).square().mean()),
        "guessed": float((shared.encode(batch.image).domain == domain).float().mean()),
    }
    return found | {
        "over_mean": found["swap"] / found["mean"],
        "over_separate": found["swap"] / found["separate"],
    }


def both(
    model: PairedAutoencoder, image: torch.Tensor, domain: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Drawn as who it is, and as the other."""
    latent = model.encode_as(image, domain)
    return model.decode(latent), model.decode(model.swapped(latent))


def error(drawn: torch.Tensor, wanted: torch.Tensor, where: torch.Tensor) -> float:
    """Mean square of a number of the picture there."""
    return float(((drawn - wanted).square() * where).sum() / (where.sum() * drawn.shape[1]))


def features(data: Dataset) -> torch.Tensor:
    """B 1 H W: within reach of a point of brows, eyes or mouth."""
    truth = data.truth(range(COUNT))
    assert truth is not None and truth.points is not None
    rows, columns = (torch.linspace(-1, 1, side) for side in data.image_shape[1:])
    points = truth.points[:, FEATURES]
    away = (rows[None, None, :, None] - points[..., 0, None, None]).square() + (
        columns[None, None, None] - points[..., 1, None, None]
    ).square()
    return (away.amin(1, keepdim=True) < REACH**2).float()


def mean_faces(recipe: Recipe) -> torch.Tensor:
    """2 C H W: of each person's training pictures."""
    batch = open_data(recipe, "train").batch_with(range(1000), ["domain"])
    return torch.stack([batch.image[batch.facts["domain"] == one].mean(0) for one in (0, 1)])


def picture(
    shared: PairedAutoencoder, separate: PairedAutoencoder, data: Dataset, other: Dataset, count: int = 8
) -> Pictures.Image:
    """By rows: read, drawn again, swapped, the truth of the swap, swapped between separate encoders."""
    batch = data.batch_with(range(count), shared.needs)
    drawn, swapped = both(shared, batch.image, batch.facts["domain"])
    rows = [
        batch.image,
        drawn,
        swapped,
        other.batch(range(count)).image,
        both(separate, batch.image, batch.facts["domain"])[1],
    ]
    return sheet([[to_picture(one, 96) for one in row] for row in rows])
