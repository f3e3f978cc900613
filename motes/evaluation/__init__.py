"""Scores of a trained model on held-out pictures: `evaluate` applies every score that fits model and data."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from motes.data.base import Dataset
from motes.evaluation.particles import particle_counts, particle_scores
from motes.models.base import Model
from motes.ops.metrics import psnr
from motes.ops.types import Particles


@dataclass(frozen=True)
class Score:
    """A mean over pictures, and where 95 % of its bootstrap resamples lie."""

    value: float
    low: float
    high: float


def evaluate(
    model: Model, data: Dataset, limit: int = 1000, batch: int = 50, progress: Callable[[int, int], None] | None = None
) -> dict[str, Score]:
    """The model is left in the mode it was in. Particle scores need particles, and data with truth."""
    device = next(model.parameters()).device
    was_training, count = model.training, min(limit, len(data))
    model.eval()
    quality: list[torch.Tensor] = []
    counts: list[dict[str, torch.Tensor]] = []
    with torch.no_grad():
        for start in range(0, count, batch):
            rows = range(start, min(start + batch, count))
            image = data.batch(rows).image.to(device)
            latent = model.encode(image)
            quality.append(psnr(model.decode(latent), image).cpu())
            if isinstance(latent, Particles) and (truth := data.truth(rows)) is not None:
                counts.append(particle_counts(latent.to("cpu"), truth))
            if progress:
                progress(rows.stop, count)
    model.train(was_training)
    scores = {"psnr": _mean_score(torch.cat(quality))}
    if counts:
        merged = {key: torch.cat([one[key] for one in counts]) for key in counts[0]}
        scores |= {
            name: Score(*_interval(lambda rows, n=name: particle_scores({k: v[rows] for k, v in merged.items()})[n], count))
            for name in ("found", "clean", "distance", "count_error")
        }
    return scores


def _mean_score(values: torch.Tensor) -> Score:
    return Score(*_interval(lambda rows: values[rows].mean().item(), len(values)))


def _interval(score: Callable[[torch.Tensor], float], count: int, resamples: int = 200) -> tuple[float, float, float]:
    random = torch.Generator().manual_seed(0)
    draws = torch.tensor([score(torch.randint(count, (count,), generator=random)) for _ in range(resamples)])
    return score(torch.arange(count)), draws.quantile(0.025).item(), draws.quantile(0.975).item()
