"""`evaluate`: scores with intervals, either every score that model and data support, or the named ones.

Memory grows with numbers, not with pictures.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor

from motes.data.base import Branches, Dataset, Simulates, Split
from motes.errors import UserError
from motes.evaluation import SCORES
from motes.evaluation.background import Background
from motes.evaluation.intervals import Score, intervals
from motes.evaluation.question import EncodedBatch, Evidence, Measured, Question, missing
from motes.models.base import Model, device_of

Progress = Callable[[int, int], None]  # pictures that are done, and of how many


@dataclass(frozen=True)
class Asked:
    """Which scores to compute, and the data from which scores that learn may learn."""

    # names in SCORES; None: all that model and data support
    scores: tuple[str, ...] | None = None
    # an error says why a named score cannot be computed; if false, the score is left out instead
    refuse: bool = True
    # opens the training split, to learn from or to draw the median of, and the validation split, to choose by
    open: Callable[[Split], Dataset] | None = None
    # the largest number of pictures to learn from; at most a quarter of it to choose by
    learn_limit: int = 10000


def evaluate(
    model: Model,
    data: Dataset,
    limit: int = 1000,
    batch: int = 50,
    progress: Progress | None = None,
    asked: Asked | None = None,
) -> dict[str, Score]:
    """Score a model on held-out pictures, with 95 % bootstrap intervals.

    Arguments:
        model: any model; it is left in the mode it was in.
        data: usually the test split. Scores that need truth are of data that know it.
        limit: pictures at most; the first ones, in whole clips.
        batch: pictures encoded at a time. Memory grows with it, not with `limit`.
        progress: is called with the pictures done so far and their total.
        asked: which scores, and what learning scores may learn from. None: all that need not learn.

    Returns name -> `Score` (value, low, high). One that was named and cannot be had is a `UserError`.

    >>> from motes.data.source import Source
    >>> from motes.models import MODELS
    >>> model = MODELS["autoencoder"](MODELS["autoencoder"].Config(image_size=(16, 16), code_dim=4, width=8))
    >>> data = Source("shapes", {"image_size": [16, 16], "held_out": 6}).open("test")
    >>> scores = evaluate(model, data, asked=Asked(("pictures",)))
    >>> sorted(scores), scores["mse"].low <= scores["mse"].value <= scores["mse"].high
    (['mse', 'psnr', 'psnr_pooled', 'ssim'], True)
    """
    with torch.no_grad(), _evaluating(model):
        asked = _opening_once(asked or Asked())
        held_out = _Part(model, data, limit, batch, Background(asked.open))
        if held_out.count < 1:
            raise UserError(f"there is nothing to score: {len(data)} held-out pictures, limit {limit}")
        return _scores(held_out, asked, progress)


def _opening_once(asked: Asked) -> Asked:
    """The same, with each split opened at most once: that may decode all of its pictures."""
    return asked if asked.open is None else replace(asked, open=cache(asked.open))


def _scores(held_out: "_Part", asked: Asked, progress: Progress | None) -> dict[str, Score]:
    parts = [held_out]
    questions = _answerable(parts, asked, {name: SCORES[name] for name in _names(asked)})
    if any(question.learns for question in questions.values()):
        parts += _learning_parts(held_out, asked)
        questions = _answerable(parts, asked, questions)
    measured, unit = _measured(parts, questions, progress)
    scores: dict[str, Score] = {}
    for name, question in questions.items():
        evidence = Evidence(*(of_part.get(name, {}) for of_part in measured))
        scores |= intervals(question.score(evidence), unit)
    return scores


def _learning_parts(held_out: "_Part", asked: Asked) -> "list[_Part]":
    """The pictures that scores may learn from, and those by which they choose settings; empty if none are
    given."""
    if asked.open is None:
        return []
    limits: dict[Split, int] = {"train": asked.learn_limit, "validation": asked.learn_limit // 4}
    return [_Part(held_out.model, asked.open(split), limit, held_out.size) for split, limit in limits.items()]


class _Part:
    """The pictures of a data set that are measured, in whole clips; iterating encodes them.

    The first chunk is encoded at once, to know which questions can be answered.
    """

    def __init__(
        self, model: Model, data: Dataset, limit: int, size: int, background: Background | None = None
    ):
        self.model = model
        self.data = data
        self.size = size
        self.background = background
        rows = data.first(limit)
        self.count = len(rows)
        self.chunks = list(data.chunks(rows, size))
        self.first = self._encode(self.chunks[0]) if self.chunks else None

    def __iter__(self) -> Iterator[EncodedBatch]:
        for number, rows in enumerate(self.chunks):
            yield self.first if number == 0 and self.first else self._encode(rows)

    def _encode(self, rows: Sequence[int]) -> EncodedBatch:
        device = device_of(self.model)
        needs = self.model.needs
        truth = self.data.truth(rows)
        batch = self.data.batch(rows, frames=self.data.frames)
        labels = self.data.labels(rows, truth)
        needed = {name: value for name, value in labels.items() if name in needs}
        actions = self.data.actions(rows) if "actions" in needs else None
        batch = replace(batch, labels=needed, actions=actions).to(device)
        latent = self.model.encode_clips(batch.image, batch.frames)
        truth = None if truth is None else truth.to(device)
        world = self.data if isinstance(self.data, Simulates) else None
        branches = self.data if isinstance(self.data, Branches) else None
        return EncodedBatch(self.model, batch, latent, truth, self.background, world, branches)


def _names(asked: Asked) -> tuple[str, ...]:
    for name in asked.scores or ():
        if name not in SCORES:
            raise UserError(f"there is no score {name!r}; there are: {', '.join(SCORES)}")
    return asked.scores or tuple(SCORES)


def _answerable(parts: list[_Part], asked: Asked, questions: dict[str, Question]) -> dict[str, Question]:
    """The questions that can be answered, as tried on the first pictures of each part.

    Other questions are left out, or refused if they were named in `asked`.
    """
    answerable: dict[str, Question] = {}
    for name, question in questions.items():
        reason = _reason(parts, asked, question)
        if reason is None:
            answerable[name] = question
        elif asked.scores and asked.refuse:
            raise UserError(f"{name} cannot be scored: {reason}")
    return answerable


def _reason(parts: list[_Part], asked: Asked, question: Question) -> str | None:
    """The reason why the question cannot be answered; None if it can be."""
    for part in parts if question.learns else parts[:1]:
        if part.first is None:
            return "there are no pictures to learn from or to choose by"
        if reason := missing(question, part.first):
            return reason
    if question.learns and not asked.open:
        return "it learns from a training split, and none was given"
    return None


def _measured(
    parts: list[_Part], questions: dict[str, Question], progress: Progress | None
) -> tuple[list[dict[str, Measured]], Tensor]:
    """What each question measured on every part, and for each picture of the first part the number of its
    unit.

    On the first part all questions are measured, on the others only the questions that learn.
    """
    done = 0
    total = sum(part.count for part in parts)
    measured = []
    units = []
    for part in parts:
        is_scored = part is parts[0]
        measuring = {name: question for name, question in questions.items() if question.learns or is_scored}
        batches: dict[str, list[Measured]] = {name: [] for name in measuring}
        for encoded in part:
            for name, question in measuring.items():
                batches[name].append({key: value.cpu() for key, value in question.measure(encoded).items()})
            units += [encoded.unit.cpu()] if is_scored else []
            done += len(encoded.batch)
            if progress:
                progress(done, total)
        measured.append({name: _joined(of_batch) for name, of_batch in batches.items()})
    return measured, torch.cat(units)


def _joined(batches: list[Measured]) -> Measured:
    return {key: torch.cat([batch[key] for batch in batches]) for key in batches[0]}


@contextmanager
def _evaluating(model: Model) -> Iterator[None]:
    """Inside the block the model is in eval mode; afterwards each of its modules is in its earlier mode
    again."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
