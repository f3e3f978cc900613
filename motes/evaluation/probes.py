"""What do the particles know of the things? Factors read out of matched particles by a straight map and by a
small network.

Every thing gets one particle that is there, matched at the least total distance of centres, or where the
data knows no centres at the largest total overlap of masks. Read are its position, log-variance, look and
presence. Numbers are scored by R2, classes (whole numbers) by accuracy (beside it that of the most frequent
class), over all things of the test pictures: a thing that got no particle is answered with what is commonest
among those learnt from, the mean or the most frequent class. A factor that is the same for all is left out.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from motes.evaluation.intervals import Statistic, ratio
from motes.evaluation.question import EncodedBatch, Evidence, Measured, Question
from motes.models.abilities import Segments
from motes.ops.points.assignment import assign
from motes.ops.scores.readout import Examples, learn_readout
from motes.ops.scores.regression import ridges
from motes.ops.scores.segmentation import segment_overlaps

PENALTIES = (0.0, 1e-4, 1e-3, 1e-2, 1e-1)
MOST_CLASSES = 50  # whole numbers beyond are numbers
FACTOR = "factor "  # begins the names of factors among what is measured


def look(encoded: EncodedBatch) -> Measured:
    """What is read of the particle of each thing, whether it has one, and its factors."""
    assert encoded.truth is not None
    match = _matched(encoded)
    latent = encoded.latent
    row = match.clamp_min(0)
    parts = (latent.position, latent.log_variance, latent.features, latent.presence[..., None])
    everything = torch.cat(parts, -1)
    read = everything.gather(1, row[..., None].expand(-1, -1, everything.shape[2]))
    known = {FACTOR + name: value for name, value in encoded.truth.factors.items()}
    return {"read": read, "matched": match >= 0, "present": encoded.truth.present, **known}


def judge(evidence: Evidence) -> dict[str, Statistic]:
    found: dict[str, Statistic] = {}
    for name in [name for name in evidence.test if name.startswith(FACTOR)]:
        if _varies(evidence.learn, name):
            score = _classes if _is_class(evidence.learn[name]) else _numbers
            found |= {
                f"probes/{name.removeprefix(FACTOR)}{end}": one for end, one in score(evidence, name).items()
            }
    return found | {
        "probes/matched": ratio((evidence.test["matched"]).sum(1), evidence.test["present"].sum(1))
    }


def _matched(encoded: EncodedBatch) -> Int[Tensor, "B N"]:
    assert encoded.truth is not None
    allowed = encoded.truth.present[:, :, None] & encoded.believed[:, None]
    if (
        encoded.truth.masks is not None
        and encoded.truth.centres is None
        and isinstance(encoded.model, Segments)
    ):
        return assign(1 - segment_overlaps(encoded.overlaps)[:, 1:, 1:], allowed)
    assert encoded.centres is not None
    return assign((encoded.centres[:, :, None] - encoded.latent.position[:, None]).norm(dim=-1), allowed)


def _numbers(evidence: Evidence, name: str) -> dict[str, Statistic]:
    """R2, over the columns of the factor together: squared errors by squared distances from the mean of the
    test things."""
    learn, choose = (_table(one, name) for one in (evidence.learn, evidence.choose))
    straight = min(
        ridges(learn.x, learn.y, PENALTIES), key=lambda one: float((one(choose.x) - choose.y).square().sum())
    )
    readers = {"/linear": straight, "/mlp": learn_readout(learn, choose)}
    present = evidence.test["present"]
    wanted = _wanted(evidence.test, name)
    middle = wanted[present].mean(0)
    scale = (wanted[present] - middle).square().mean(0).clamp_min(1e-12)  # a column's unit does not weigh it
    around = ((wanted - middle).square() / scale).sum(2).masked_fill(~present, 0).sum(1)
    found: dict[str, Statistic] = {}
    for end, reader in readers.items():
        answer = reader(evidence.test["read"].flatten(0, 1)).to(wanted.dtype).view_as(wanted)
        answer = torch.where(evidence.test["matched"][..., None], answer, learn.y.mean(0).to(wanted.dtype))
        missed = ((answer - wanted).square() / scale).sum(2).masked_fill(~present, 0).sum(1)
        found[f"{end}/r2"] = ratio(around - missed, around)
    return found


def _classes(evidence: Evidence, name: str) -> dict[str, Statistic]:
    learn, choose = (_table(one, name) for one in (evidence.learn, evidence.choose))
    names, number = learn.y.unique(return_inverse=True)
    known = torch.isin(choose.y, names)
    learn = Examples(learn.x, number)
    choose = Examples(choose.x[known], torch.searchsorted(names, choose.y[known]))
    present = evidence.test["present"]
    wanted = evidence.test[name]
    commonest = names[number.bincount().argmax()]
    found: dict[str, Statistic] = {
        "/commonest": ratio(((wanted == commonest) & present).sum(1), present.sum(1))
    }
    for end, hidden in (("/linear", 0), ("/mlp", 128)):
        reader = learn_readout(learn, choose, len(names), hidden)
        answer = names[reader(evidence.test["read"].flatten(0, 1)).argmax(1)].view_as(wanted)
        right = (torch.where(evidence.test["matched"], answer, commonest) == wanted) & present
        found[f"{end}/accuracy"] = ratio(right.sum(1), present.sum(1))
    return found


def _table(measured: Measured, name: str) -> Examples:
    """The things that have a particle."""
    which: Bool[Tensor, "B N"] = measured["matched"] & measured["present"]
    values = measured[name] if _is_class(measured[name]) else _wanted(measured, name)
    return Examples(measured["read"][which].float(), values[which])


def _wanted(measured: Measured, name: str) -> Float[Tensor, "B N q"]:
    return measured[name].flatten(2).float() if measured[name].ndim > 2 else measured[name][..., None].float()


def _varies(measured: Measured, name: str) -> bool:
    """Among the things to learn from; where no particle is there, there is none."""
    values = measured[name][measured["present"] & measured["matched"]]
    return len(values) > 0 and bool((values != values[:1]).any())


def _is_class(values: Tensor) -> bool:
    whole = not values.is_floating_point() and values.ndim == 2
    return whole and values.unique().numel() <= MOST_CLASSES


QUESTION = Question(("particles", "factors", "places"), look, judge, learns=True)
