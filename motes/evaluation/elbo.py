"""Scores of the model's own loss on held-out pictures, and of the log-variance of its particles' positions.

`loss` is the negative evidence lower bound with the model's own weights; `loss/...` are its terms without
weights. `log_variance` is the mean over both axes and the particles that the model believes in.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from motes.evaluation.intervals import Statistic, mean, ratio
from motes.evaluation.question import EncodedBatch, Evidence, Measured, Question
from motes.models.base import Model
from motes.types.batch import Batch, Losses
from motes.types.latents import Particles

DIFFERENTIATED_AT_ONCE = 10  # pictures: all that a gradient goes through is kept in memory
EXPLAINS = {
    "loss": "the model's own loss on pictures it never saw",
    "loss/*": "this term of it, without its weight",
    "log_variance": "how unsure the model is of its particles' places: mean log-variance",
}


def _measure(encoded: EncodedBatch) -> Measured:
    """Measure the loss and its terms on each picture.

    The random seed follows from the pictures' rows, so that the noise is the same in every evaluation.
    """
    devices = [encoded.batch.image.device] if encoded.batch.image.is_cuda else []
    with torch.random.fork_rng(devices):
        parts = [_losses(encoded.model, part) for part in encoded.batch.chunks(DIFFERENTIATED_AT_ONCE)]
    measured = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    return measured | (_uncertainty(encoded) if isinstance(encoded.latent, Particles) else {})


def _uncertainty(encoded: EncodedBatch) -> Measured:
    """For each picture, the sum of log-variances over the particles that the model believes in, and their
    number."""
    log_variance = encoded.latent.log_variance.mean(2)
    return {"unsure": (log_variance * encoded.believed).sum(1), "believed": encoded.believed.sum(1)}


def _score(evidence: Evidence) -> dict[str, Statistic]:
    test = evidence.test
    scores = {name: mean(test[name]) for name in test if name.startswith("loss")}
    if "unsure" in test:
        scores["log_variance"] = ratio(test["unsure"], test["believed"])
    return scores


def _losses(model: Model, batch: Batch) -> Measured:
    torch.manual_seed(int(batch.index[0]))
    with torch.enable_grad():
        losses = model.validate(batch)
    total = _by_picture(losses, len(batch))
    terms = {f"loss/{name}": value.detach() for name, value in losses.terms.items()}
    return {"loss": _by_clip(model, batch) if total is None else total, **terms}


def _by_picture(losses: Losses, count: int) -> Float[Tensor, "B"] | None:
    """The loss of each picture, from losses that hold the loss of a batch of `count` pictures.

    The terms are known per picture but unweighted; their weights are the gradients of the loss with respect
    to them. None where the loss is no weighted sum of the terms.
    """
    terms = [term for term in losses.terms.values() if term.requires_grad]
    if not terms or not losses.total.requires_grad:
        return None
    gradients = torch.autograd.grad(losses.total, terms, allow_unused=True)
    pairs = zip(gradients, terms, strict=True)
    parts = [count * gradient * term for gradient, term in pairs if gradient is not None]
    total = torch.stack(parts).sum(0).detach() if parts else losses.total.new_zeros(count)
    return total if torch.isclose(total.mean(), losses.total.detach(), rtol=1e-3) else None


def _by_clip(model: Model, batch: Batch) -> Float[Tensor, "N"]:
    """The loss of the clip that each picture belongs to."""
    with torch.no_grad():
        totals = torch.stack([model.validate(clip).total for clip in batch.chunks(1)])
    return totals.repeat_interleave(batch.frames)


QUESTION = Question(("loss", "labels", "actions"), _measure, _score, EXPLAINS)
