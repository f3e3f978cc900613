"""What does the model itself say of pictures it never saw, without labels? Its loss, and how unsure it is of
its particles' places.

`loss` is the negative evidence lower bound with the model's own weights, `loss/...` its terms without them.
`log_variance` is the mean over the particles that the model believes in and both axes.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from motes.evaluation.intervals import Statistic, mean, ratio
from motes.evaluation.question import EncodedBatch, Evidence, Measured, Question
from motes.models.base import Model
from motes.types.batch import Batch, Losses
from motes.types.latents import Particles

AT_ONCE = 10  # pictures: what a slope is taken through is kept in memory


def look(encoded: EncodedBatch) -> Measured:
    """The same every time: noise is drawn from a seed of the pictures' own."""
    devices = [encoded.batch.image.device] if encoded.batch.image.is_cuda else []
    with torch.random.fork_rng(devices):
        parts = [_losses(encoded.model, part) for part in encoded.batch.chunks(AT_ONCE)]
    found = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    if not isinstance(encoded.latent, Particles):
        return found
    unsure = encoded.latent.log_variance.mean(2)
    return {**found, "unsure": (unsure * encoded.believed).sum(1), "believed": encoded.believed.sum(1)}


def judge(evidence: Evidence) -> dict[str, Statistic]:
    test = evidence.test
    found = {name: mean(values) for name, values in test.items() if name.startswith("loss")}
    return found | ({"log_variance": ratio(test["unsure"], test["believed"])} if "unsure" in test else {})


def _losses(model: Model, batch: Batch) -> Measured:
    torch.manual_seed(int(batch.index[0]))
    with torch.enable_grad():
        losses = model.validate(batch)
    total = _of_each(losses, len(batch))
    terms = {f"loss/{name}": value.detach() for name, value in losses.terms.items()}
    return {"loss": _one_by_one(model, batch) if total is None else total, **terms}


def _of_each(losses: Losses, count: int) -> Float[Tensor, "B"] | None:
    """A model says its loss of a batch, and its terms of each picture without their weights: those are the
    loss's slopes along the terms.

    None where the loss is no weighted sum of the terms.
    """
    terms = [term for term in losses.terms.values() if term.requires_grad]
    if not terms or not losses.total.requires_grad:
        return None
    slopes = torch.autograd.grad(losses.total, terms, allow_unused=True)
    parts = [count * slope * term for slope, term in zip(slopes, terms, strict=True) if slope is not None]
    total = torch.stack(parts).sum(0).detach() if parts else losses.total.new_zeros(count)
    return total if torch.isclose(total.mean(), losses.total.detach(), rtol=1e-3) else None


def _one_by_one(model: Model, batch: Batch) -> Float[Tensor, "N"]:
    """Each clip's loss, the same for all its frames."""
    with torch.no_grad():
        totals = torch.stack([model.validate(clip).total for clip in batch.chunks(1)])
    return totals.repeat_interleave(batch.frames)


QUESTION = Question(("loss", "labels", "actions"), look, judge)
