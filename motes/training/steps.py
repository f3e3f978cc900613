"""Parts of one training step: the optimiser, the moving average, and the error for a loss that is not
finite."""

import torch

from motes.models.base import Model, Stage
from motes.training.recipe import Training
from motes.types.batch import Batch, Losses


def adam(stage: Stage, training: Training) -> torch.optim.Optimizer:
    # a group, since a stage may have no parameters
    groups = [{"params": list(stage.parameters)}]
    return torch.optim.Adam(groups, lr=training.learning_rate, eps=training.adam_epsilon, fused=True)


def move_average(average: Model, model: Model, decay: float, step: int) -> None:
    """Move the averaged weights towards the model's; buffers are copied from the model.

    At early steps the average covers only a few steps, so that the random first weights are soon forgotten.
    """
    decay = min(decay, (1 + step) / (10 + step))
    for mean, newest in zip(average.parameters(), model.parameters(), strict=True):
        mean.lerp_(newest, 1 - decay)
    for mean, newest in zip(average.buffers(), model.buffers(), strict=True):
        mean.copy_(newest)


def not_finite(losses: Losses, batch: Batch, step: int) -> str:
    """A sentence that says which part of the loss is not finite, and on which pictures."""
    terms = losses.terms
    name = next((name for name, value in terms.items() if not torch.isfinite(value).all()), "total")
    rows = (batch.index[~torch.isfinite(terms[name])] if name in terms else batch.index).tolist()
    listed = ", ".join(map(str, rows[:8])) + (f" and {len(rows) - 8} more" if len(rows) > 8 else "")
    return f"{name} became not finite at step {step} on pictures {listed} of the training set"
