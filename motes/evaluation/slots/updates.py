"""Update scores: what does each update buy, from the first to twice as many as in training?

The latent after each number of updates, all from the same random starts, is scored by itself.
"""

from dataclasses import replace

from motes.evaluation.intervals import Statistic, mean
from motes.evaluation.question import EncodedBatch, Evidence, Measured, Question
from motes.models.abilities import Believes, Redraws, Segments
from motes.ops.scores.segmentation import adjusted_rand

EXPLAINS = {
    "updates/*/ari_fg": "agreement of the masks with the true ones on the things' pixels, after so many updates",
    "updates/*/mse": "mean squared error of a pixel after so many updates",
    "updates/*/bound": "the model's bound of the picture's log-likelihood after so many updates, in nats",
}


def _measure(encoded: EncodedBatch) -> Measured:
    model = encoded.model
    assert isinstance(model, Redraws)
    measured: Measured = {}
    for count in range(1, 2 * model.usual_updates + 1):
        reading = replace(encoded, latent=model.redraw(encoded.batch.image, count))
        scores = _scores(reading)
        measured |= {f"updates/{count}/{name}": value for name, value in scores.items()}
    return measured


def _scores(reading: EncodedBatch) -> Measured:
    """The scores of one reading of each picture, as far as model and truth allow."""
    error = reading.drawn.clamp(0, 1) - reading.batch.image
    scores = {"mse": error.square().mean((1, 2, 3))}
    bound = getattr(reading.latent, "bound", None)
    if bound is not None:
        scores["bound"] = bound
    has_masks = reading.truth is not None and reading.truth.masks is not None
    if has_masks and isinstance(reading.model, Segments) and isinstance(reading.latent, Believes):
        scores["ari_fg"] = adjusted_rand(reading.overlaps[:, 1:])
    return scores


def _score(evidence: Evidence) -> dict[str, Statistic]:
    return {name: mean(value) for name, value in evidence.test.items()}


QUESTION = Question(("redraws",), _measure, _score, EXPLAINS)
