"""`evaluate`: every score that model and data support, or those asked for, with intervals; memory grows with
numbers, not with pictures."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from motes.data.base import Dataset, Split, known_of_pictures
from motes.errors import UserError
from motes.evaluation import SCORES
from motes.evaluation.intervals import Score, intervals
from motes.evaluation.question import Evidence, Measured, Question, Seen, missing
from motes.models.base import Model, device_of
from motes.types.truth import Truth


@dataclass(frozen=True)
class Asked:
    """Which scores, and what those that learn may learn from."""

    # names in SCORES; None: all that model and data support
    scores: tuple[str, ...] | None = None
    # an error says why a score that is named cannot be had; otherwise it is left out
    refuse: bool = True
    # the training split, to learn from, and the validation split, to choose by
    open: Callable[[Split], Dataset] | None = None
    # pictures at most to learn from; a quarter of that to choose by
    learn_limit: int = 10000


def evaluate(
    model: Model,
    data: Dataset,
    limit: int = 1000,
    batch: int = 50,
    progress: Callable[[int, int], None] | None = None,
    asked: Asked | None = None,
) -> dict[str, Score]:
    """The model is left in the mode it was in. A score that was asked for and cannot be had is refused with
    the reason."""
    asked = asked or Asked()
    with torch.no_grad(), _evaluating(model):
        part = _Part(model, data, limit, batch)
        if part.count < 1:
            raise UserError(f"there is nothing to score: {len(data)} held-out pictures, limit {limit}")
        questions = _askable([part], asked, {name: SCORES[name] for name in _names(asked)})
        parts = [part]
        if asked.open and any(question.learns for question in questions.values()):
            further: list[tuple[Split, int]] = [
                ("train", asked.learn_limit),
                ("validation", asked.learn_limit // 4),
            ]
            parts += [_Part(model, asked.open(split), most, batch) for split, most in further]
            questions = _askable(parts, asked, questions)
        measured, unit = _measured(parts, questions, progress)
    scores: dict[str, Score] = {}
    for name, question in questions.items():
        scores |= intervals(question.judge(Evidence(*(one.get(name, {}) for one in measured))), unit)
    return scores


class _Part:
    """The pictures of a data set that are looked at, whole clips of them; the first batch is seen at once,
    to know what is there."""

    def __init__(self, model: Model, data: Dataset, limit: int, batch: int):
        self.model = model
        self.data = data
        count = min(limit, len(data))
        self.count = max(count // data.frames, 1) * data.frames if count >= 1 else 0
        self.step = batch
        self.first = self._see(0) if self.count else None

    def __iter__(self) -> Iterator[Seen]:
        for start in range(0, self.count, self.step):
            yield self.first if start == 0 and self.first else self._see(start)

    def _see(self, start: int) -> Seen:
        rows = range(start, min(start + self.step, self.count))
        batch = self.data.batch(rows)
        truth = self.data.truth(rows)
        facts = {name: value for name, value in known_of_pictures(truth).items() if name in self.model.needs}
        batch = replace(batch, facts=facts).to(device_of(self.model))
        known = None if truth is None else _on(truth, batch.image.device)
        return Seen(self.model, batch, self.model.encode(batch.image), known, self.data.frames)


def _names(asked: Asked) -> tuple[str, ...]:
    unknown = [name for name in asked.scores or () if name not in SCORES]
    if unknown:
        raise UserError(f"there is no score {unknown[0]!r}; there are: {', '.join(SCORES)}")
    return asked.scores or tuple(SCORES)


def _askable(parts: list[_Part], asked: Asked, questions: dict[str, Question]) -> dict[str, Question]:
    """Those that can be asked, by the first pictures of the parts; those that cannot are left out, or
    refused if named."""
    found: dict[str, Question] = {}
    for name, question in questions.items():
        looked_at = [one.first for one in (parts if question.learns else parts[:1])]
        reasons = [
            missing(question, seen) if seen else "there are no pictures to learn from or to choose by"
            for seen in looked_at
        ]
        if question.learns and not asked.open:
            reasons.append("it learns from a training split, and none was given")
        reason = next((reason for reason in reasons if reason), None)
        if reason and asked.scores and asked.refuse:
            raise UserError(f"{name} cannot be scored: {reason}")
        if not reason:
            found[name] = question
    return found


def _measured(
    parts: list[_Part], questions: dict[str, Question], progress: Callable[[int, int], None] | None
) -> tuple[list[dict[str, Measured]], Tensor]:
    """For every part, what each question measured of it: of the first all, of the others those that learn.
    And the first's units."""
    done = 0
    total = sum(one.count for one in parts)
    measured = []
    units = []
    for part in parts:
        asking = {
            name: question for name, question in questions.items() if question.learns or part is parts[0]
        }
        found: dict[str, list[Measured]] = {name: [] for name in asking}
        for seen in part:
            for name, question in asking.items():
                found[name].append({key: value.cpu() for key, value in question.look(seen).items()})
            units += [seen.unit.cpu()] if part is parts[0] else []
            done += len(seen.batch)
            if progress:
                progress(done, total)
        measured.append(
            {
                name: {key: torch.cat([one[key] for one in many]) for key in many[0]}
                for name, many in found.items()
            }
        )
    return measured, torch.cat(units)


def _on(truth: Truth, device: torch.device) -> Truth:
    values = {one.name: getattr(truth, one.name) for one in fields(truth)}
    moved = {name: value.to(device) for name, value in values.items() if isinstance(value, Tensor)}
    return replace(truth, **moved, factors={name: value.to(device) for name, value in truth.factors.items()})


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
