"""Probe scores: what do the particles or slots know about the factors of the things?

The factors of each thing, and its position where known, are predicted from its particle or slot, by a linear map and
by a small network.

A thing is matched to one particle that the model believes in, so that the total distance between their
centres is smallest; or, for slots and if the data have masks and no centres, so that the total overlap of masks is
largest. The inputs are the particle's position, log-variance, appearance features and presence, and, where
particles have them, the logarithm of the scale and the depth; or a slot's code, log-variance and presence.

Numbers are scored by R2, classes (whole numbers) by accuracy, over all things of the test pictures; the
frequency of the most frequent class is given beside the accuracy. For a thing without a particle the
prediction is the mean, or the most frequent class, of the things learnt from. A factor that is the same for
all things is left out.

Disentanglement and completeness say how the factors are spread over the inputs, by the weights of the linear maps.
Each column of a factor (row, column, red) counts as a factor of its own, a class as one.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import one_hot

from motes.evaluation.intervals import Statistic, ratio
from motes.evaluation.question import EncodedBatch, Evidence, Measured, Question
from motes.models.abilities import Segments
from motes.ops.points.assignment import assign
from motes.ops.scores.disentanglement import completeness, disentanglement
from motes.ops.scores.readout import Examples, learn_readout
from motes.ops.scores.regression import Linear, ridges
from motes.ops.scores.segmentation import segment_overlaps
from motes.types.latents import Particles
from motes.types.slots import Slots

PENALTIES = (0.0, 1e-4, 1e-3, 1e-2, 1e-1)
MOST_CLASSES = 50  # whole numbers beyond are numbers
FACTOR = "factor "  # begins the names of factors among what is measured
EXPLAINS = {
    "probes/*/linear/r2": "R2 of the factor, read off each thing's particle or slot by a linear map",
    "probes/*/mlp/r2": "R2 of the factor, read off each thing's particle or slot by a small network",
    "probes/*/linear/accuracy": "share of the things whose class is read off the particle or slot by a linear map",
    "probes/*/mlp/accuracy": "share of the things whose class is read off the particle or slot by a small network",
    "probes/*/commonest": "share of the things that have the most frequent class: a guess without a model",
    "probes/matched": "share of the things that a particle or slot is matched to",
    "probes/disentanglement": "how far each number that is read tells of one factor only, 1 at best",
    "probes/completeness": "how far each factor is told by one number only, 1 at best",
}


def _measure(encoded: EncodedBatch) -> Measured:
    """The inputs of each thing's particle, whether the thing has a particle, and the thing's factors."""
    assert encoded.truth is not None
    match = _matched(encoded)
    columns = torch.cat(_inputs(encoded.latent), -1)
    row = match.clamp_min(0)[..., None].expand(-1, -1, columns.shape[2])
    factors = {FACTOR + name: value for name, value in encoded.truth.factors.items()}
    if encoded.truth.centres is not None:
        factors[FACTOR + "position"] = encoded.truth.centres
    return {
        "read": columns.gather(1, row),
        "matched": match >= 0,
        "present": encoded.truth.present,
        **factors,
    }


def _inputs(latent: Particles | Slots) -> list[Float[Tensor, "B K q"]]:
    """What is read of each particle or slot."""
    if isinstance(latent, Slots):
        return [latent.codes, latent.log_variance, latent.presence[..., None]]
    parts = [latent.position, latent.log_variance, latent.features, latent.presence[..., None]]
    if latent.extent is not None:
        parts += [latent.extent.scale.log(), latent.extent.depth[..., None]]
    return parts


def _score(evidence: Evidence) -> dict[str, Statistic]:
    scores: dict[str, Statistic] = {}
    thing_count = evidence.test["present"].sum(1)
    varying = [name for name in evidence.test if name.startswith(FACTOR) and _varies(evidence.learn, name)]
    for name in varying:
        of_factor = _classes if _is_class(evidence.learn[name]) else _numbers
        for end, statistic in of_factor(evidence, name).items():
            scores[f"probes/{name.removeprefix(FACTOR)}{end}"] = statistic
    if varying:
        importance = torch.cat([_importance(evidence, name) for name in varying], 1)
        # what is learnt does not change with the pictures that are scored
        scores["probes/disentanglement"] = ratio(disentanglement(importance) * thing_count, thing_count)
        scores["probes/completeness"] = ratio(completeness(importance) * thing_count, thing_count)
    return scores | {"probes/matched": ratio(evidence.test["matched"].sum(1), thing_count)}


def _importance(evidence: Evidence, name: str) -> Float[Tensor, "P q"]:
    """How much each input counts in the linear maps to a factor, for each of its columns; for a class in one column.

    This is the weight in units of the spreads of input and column, without its sign.
    """
    learn = _examples(evidence.learn, name)
    choose = _examples(evidence.choose, name)
    if _is_class(evidence.learn[name]):
        names, learn, choose = _class_examples(evidence, name)
        learn, choose = (
            Examples(part.x, one_hot(part.y, len(names)).to(part.x.dtype)) for part in (learn, choose)
        )
    weight = _best_ridge(learn, choose).weight.abs() * learn.x.double().std(0, correction=0)[:, None]
    weight = weight / learn.y.double().std(0, correction=0).clamp_min(1e-12)
    return weight.sum(1, keepdim=True) if _is_class(evidence.learn[name]) else weight


def _matched(encoded: EncodedBatch) -> Int[Tensor, "B N"]:
    truth = encoded.truth
    assert truth is not None
    allowed = truth.present[:, :, None] & encoded.believed[:, None]
    is_placed = truth.centres is not None and isinstance(encoded.latent, Particles)
    if truth.masks is not None and not is_placed and isinstance(encoded.model, Segments):
        return assign(1 - segment_overlaps(encoded.overlaps)[:, 1:, 1:], allowed)
    return assign(encoded.distances, allowed)


def _numbers(evidence: Evidence, name: str) -> dict[str, Statistic]:
    """R2 of the factor's predictions, over all its columns together.

    It is 1 minus the sum of squared errors over the sum of squared distances from the mean of the test
    things.
    """
    learn = _examples(evidence.learn, name)
    choose = _examples(evidence.choose, name)
    test = evidence.test
    truth = _columns(test, name)
    present = test["present"]
    mean = truth[present].mean(0)
    # by the variance of each column: its unit gives it no weight
    scale = (truth[present] - mean).square().mean(0).clamp_min(1e-12)

    def squares(values: Float[Tensor, "B N q"]) -> Float[Tensor, "B"]:
        return ((truth - values).square() / scale).sum(2).masked_fill(~present, 0).sum(1)

    around = squares(mean.expand_as(truth))
    scores: dict[str, Statistic] = {}
    for end, reader in {"/linear": _best_ridge(learn, choose), "/mlp": learn_readout(learn, choose)}.items():
        answer = reader(test["read"].flatten(0, 1)).to(truth.dtype).view_as(truth)
        answer = torch.where(test["matched"][..., None], answer, learn.y.mean(0).to(truth.dtype))
        scores[f"{end}/r2"] = ratio(around - squares(answer), around)
    return scores


def _best_ridge(learn: Examples, choose: Examples) -> Linear:
    """The ridge regression learnt on `learn` whose penalty has the smallest error on `choose`."""

    def error(linear: Linear) -> float:
        return float((linear(choose.x) - choose.y).square().sum())

    return min(ridges(learn.x, learn.y, PENALTIES), key=error)


def _classes(evidence: Evidence, name: str) -> dict[str, Statistic]:
    names, learn, choose = _class_examples(evidence, name)
    test = evidence.test
    present = test["present"]
    count = present.sum(1)
    commonest = names[learn.y.bincount().argmax()]
    scores = {"/commonest": ratio(((test[name] == commonest) & present).sum(1), count)}
    for end, hidden in (("/linear", 0), ("/mlp", 128)):
        reader = learn_readout(learn, choose, len(names), hidden)
        answer = names[reader(test["read"].flatten(0, 1)).argmax(1)].view_as(test[name])
        right = (torch.where(test["matched"], answer, commonest) == test[name]) & present
        scores[f"{end}/accuracy"] = ratio(right.sum(1), count)
    return scores


def _class_examples(evidence: Evidence, name: str) -> tuple[Tensor, Examples, Examples]:
    """The classes among the things to learn from, and both tables with each class replaced by its number.

    Things of other classes are left out of the table to choose from.
    """
    learn = _examples(evidence.learn, name)
    choose = _examples(evidence.choose, name)
    names, number = learn.y.unique(return_inverse=True)
    learnt = torch.isin(choose.y, names)
    chosen = Examples(choose.x[learnt], torch.searchsorted(names, choose.y[learnt]))
    return names, Examples(learn.x, number), chosen


def _examples(measured: Measured, name: str) -> Examples:
    """The inputs and the factor `name` of all things that have a particle."""
    chosen: Bool[Tensor, "B N"] = measured["matched"] & measured["present"]
    values = measured[name] if _is_class(measured[name]) else _columns(measured, name)
    return Examples(measured["read"][chosen].float(), values[chosen])


def _columns(measured: Measured, name: str) -> Float[Tensor, "B N q"]:
    return measured[name].flatten(2).float() if measured[name].ndim > 2 else measured[name][..., None].float()


def _varies(measured: Measured, name: str) -> bool:
    """Whether a factor varies among the things that have a particle, in the pictures to learn from."""
    values = measured[name][measured["present"] & measured["matched"]]
    return len(values) > 0 and bool((values != values[:1]).any())


def _is_class(values: Tensor) -> bool:
    is_integer = not values.is_floating_point() and values.ndim == 2
    return is_integer and values.unique().numel() <= MOST_CLASSES


QUESTION = Question(("factors", "matched"), _measure, _score, EXPLAINS, learns=True)
