"""Scores of a trained model on held-out pictures: `evaluate` applies every score that fits model and data."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from motes.data.base import Dataset
from motes.errors import UserError
from motes.evaluation.particles import particle_counts, particle_scores
from motes.evaluation.reconstruction import reconstruction_scores
from motes.models.base import Model
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
    count = min(limit, len(data))
    if count < 1:
        raise UserError(f"there is nothing to score: {len(data)} held-out pictures, limit {limit}")
    quality: list[dict[str, torch.Tensor]] = []
    counts: list[dict[str, torch.Tensor]] = []
    with torch.no_grad(), _evaluating(model):
        for start in range(0, count, batch):
            rows = range(start, min(start + batch, count))
            image = data.batch(rows).image.to(device)
            latent = model.encode(image)
            quality.append({name: value.cpu() for name, value in reconstruction_scores(model.decode(latent), image).items()})
            if isinstance(latent, Particles) and (truth := data.truth(rows)) is not None and truth.centres is not None:
                counts.append(particle_counts(latent.to("cpu"), truth.centres, truth.present))
            if progress:
                progress(rows.stop, count)
    scores = {name: _mean_score(values) for name, values in _joined(quality).items()}
    if counts:
        merged = _joined(counts)
        scores |= {
            name: Score(*_interval(lambda rows, n=name: particle_scores({k: v[rows] for k, v in merged.items()})[n], count))
            for name in ("found", "clean", "distance", "count_error")
        }
    return scores


@contextmanager
def _evaluating(model: Model) -> Iterator[None]:
    """Eval mode inside; afterwards every module is in its own mode again, frozen ones included."""
    before = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in before:
            module.training = training


def _joined(parts: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    return {name: torch.cat([one[name] for one in parts]) for name in parts[0]}


def _mean_score(values: torch.Tensor) -> Score:
    return Score(*_interval(lambda rows: values[rows].mean().item(), len(values)))


def _interval(score: Callable[[torch.Tensor], float], count: int, resamples: int = 200) -> tuple[float, float, float]:
    random = torch.Generator().manual_seed(0)
    draws = torch.tensor([score(torch.randint(count, (count,), generator=random)) for _ in range(resamples)])
    return score(torch.arange(count)), draws.quantile(0.025).item(), draws.quantile(0.975).item()
