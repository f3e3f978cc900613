"""The paired autoencoder on two generated people: swaps against
their truth, the mean face, and two encoders that share nothing.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from benchmarks.systems.system import Bar, Figures, changed, picture_rows, save_page_picture, seeded, trained
from motes.apps.drawing.marks import sheet
from motes.data.base import Dataset
from motes.models.factors.two_domains import PairedAutoencoder
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
FEATURES = [*range(17, 27), *range(36, 68)]  # of the 68 points: brows, eyes, mouth
REACH = 0.06  # around each point, in half pictures
COUNT = 200


@dataclass(frozen=True)
class Rivals:
    """One encoder for both people, and one for each."""

    shared: PairedAutoencoder
    separate: PairedAutoencoder


def run(seed: int, folder: Path) -> Figures:
    recipe = seeded(PRESETS["paired-faces"].recipe, seed)
    recipe = replace(recipe, data=recipe.data.changed({"landmarks": 68}))
    shared = trained(recipe, folder / "shared")
    separate = trained(changed(recipe, encoders=2), folder / "separate")
    assert isinstance(shared, PairedAutoencoder) and isinstance(separate, PairedAutoencoder)
    rivals = Rivals(shared, separate)
    data = recipe.data.open("test")
    exchanged = recipe.data.changed({"exchanged": True}).open("test")
    with torch.no_grad():
        figures = swap_figures(rivals, data, exchanged, mean_faces(recipe))
        if seed == 0:
            draw_swaps(rivals, data, exchanged)
    return figures


def swap_figures(rivals: Rivals, data: Dataset, exchanged: Dataset, means: torch.Tensor) -> Figures:
    """`exchanged`: the same pictures with the other person."""
    batch = data.batch(range(COUNT), rivals.shared.needs)
    target = exchanged.batch(range(COUNT)).image
    domain = batch.labels["domain"]
    mask = features_mask(data)
    target_mask = features_mask(exchanged)
    drawn, swapped = drawn_and_swapped(rivals.shared, batch.image, domain)
    drawn_apart, swapped_apart = drawn_and_swapped(rivals.separate, batch.image, domain)
    mean = means[1 - domain]
    figures = {
        "swap": masked_error(swapped, target, target_mask),
        "mean": masked_error(mean, target, target_mask),
        "separate": masked_error(swapped_apart, target, target_mask),
        "drawn": masked_error(drawn, batch.image, mask),
        "drawn_separate": masked_error(drawn_apart, batch.image, mask),
        "over_mean_all": float((swapped - target).square().mean() / (mean - target).square().mean()),
        "guessed": float((rivals.shared.encode(batch.image).domain == domain).float().mean()),
    }
    figures["over_mean"] = figures["swap"] / figures["mean"]
    figures["over_separate"] = figures["swap"] / figures["separate"]
    return figures


def drawn_and_swapped(
    model: PairedAutoencoder, image: torch.Tensor, domain: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Drawn as the same person, and as the other."""
    latent = model.encode_as(image, domain)
    return model.decode(latent), model.decode(model.swapped(latent))


def masked_error(drawn: torch.Tensor, target: torch.Tensor, mask: torch.Tensor) -> float:
    """Mean square of a number of the picture within the mask."""
    return float(((drawn - target).square() * mask).sum() / (mask.sum() * drawn.shape[1]))


def features_mask(data: Dataset) -> torch.Tensor:
    """B 1 H W: within reach of a point of brows, eyes or mouth."""
    truth = data.truth(range(COUNT))
    assert truth is not None and truth.points is not None
    rows, columns = (torch.linspace(-1, 1, side) for side in data.image_shape[1:])
    points = truth.points[:, FEATURES]
    down = (rows[None, None, :, None] - points[..., 0, None, None]).square()
    right = (columns[None, None, None] - points[..., 1, None, None]).square()
    return ((down + right).amin(1, keepdim=True) < REACH**2).float()


def mean_faces(recipe: Recipe) -> torch.Tensor:
    """2 C H W: of each person's training pictures."""
    batch = recipe.data.open("train").batch(range(1000), ["domain"])
    return torch.stack([batch.image[batch.labels["domain"] == person].mean(0) for person in (0, 1)])


def draw_swaps(rivals: Rivals, data: Dataset, exchanged: Dataset, count: int = 8) -> None:
    """By rows: read, drawn again, swapped, the truth of the swap, swapped between separate encoders."""
    batch = data.batch(range(count), rivals.shared.needs)
    drawn, swapped = drawn_and_swapped(rivals.shared, batch.image, batch.labels["domain"])
    _, swapped_apart = drawn_and_swapped(rivals.separate, batch.image, batch.labels["domain"])
    rows = [batch.image, drawn, swapped, exchanged.batch(range(count)).image, swapped_apart]
    save_page_picture(sheet(picture_rows(rows, 96)), "paired")
