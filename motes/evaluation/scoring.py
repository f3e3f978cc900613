"""`evaluate`: every score that model and data support, or those asked for, with intervals; memory grows with numbers, not with pictures."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from motes.data.base import Dataset, Truth
from motes.errors import UserError
from motes.evaluation import SCORES
from motes.evaluation.intervals import Score, intervals
from motes.evaluation.question import Evidence, Measured, Question, Seen, missing
from motes.models.base import Model


@dataclass(frozen=True)
class Asked:
    """Which scores, and what those that learn may learn from."""

    scores: tuple[str, ...] | None = None  # names in SCORES; None: all that model and data support
    learn: Dataset | None = None  # pictures with truth to learn from, such as the training split
    choose: Dataset | None = None  # others to choose by, such as the validation split
    learn_limit: int = 10000  # pictures at most to learn from; a quarter of that to choose by


def evaluate(
    model: Model,
    data: Dataset,
    limit: int = 1000,
    batch: int = 50,
    progress: Callable[[int, int], None] | None = None,
    asked: Asked | None = None,
) -> dict[str, Score]:
    """The model is left in the mode it was in. A score that was asked for and cannot be had is refused with the reason."""
    asked = asked or Asked()
    with torch.no_grad(), _evaluating(model):
        part = _Part(model, data, limit, batch)
        if part.count < 1:
            raise UserError(f"there is nothing to score: {len(data)} held-out pictures, limit {limit}")
        further = [(asked.learn, asked.learn_limit), (asked.choose, asked.learn_limit // 4)]
        parts = [part, *(_Part(model, other, most, batch) for other, most in further if other is not None)]
        questions = _questions(parts, asked.scores)
        learning = {name: question for name, question in questions.items() if question.learns}
        parts = parts if learning else parts[:1]
        done, total, measured = 0, sum(one.count for one in parts), []
        for number, one in enumerate(parts):
            found: list[dict[str, Measured]] = []
            for seen in one:
                asking = learning if number else questions
                found.append({name: _kept(question.look(seen)) for name, question in asking.items()})
                done += len(seen.batch)
                if progress:
                    progress(done, total)
            measured.append(_joined(found))
    scores: dict[str, Score] = {}
    for name, question in questions.items():
        evidence = Evidence(*(one.get(name, {}) for one in measured), frames=data.frames)
        scores |= intervals(question.judge(evidence), part.count, data.frames)
    return scores


class _Part:
    """The pictures of a data set that are looked at, in batches of whole clips; the first batch is seen at once, to know what is there."""

    def __init__(self, model: Model, data: Dataset, limit: int, batch: int):
        self.model, self.data = model, data
        count = min(limit, len(data))
        self.count = max(count // data.frames, 1) * data.frames if count >= 1 else 0
        self.step = max(batch // data.frames, 1) * data.frames
        self.first = self._see(0) if self.count else None

    def __iter__(self) -> Iterator[Seen]:
        for start in range(0, self.count, self.step):
            yield self.first if start == 0 and self.first else self._see(start)

    def _see(self, start: int) -> Seen:
        rows = range(start, min(start + self.step, self.count))
        batch = self.data.batch(rows).to(next(self.model.parameters()).device)
        truth = self.data.truth(rows)
        known = None if truth is None else _on(truth, batch.image.device)
        return Seen(self.model, batch, self.model.encode(batch.image), known, self.data.frames)


def _questions(parts: list[_Part], names: tuple[str, ...] | None) -> dict[str, Question]:
    """Those that can be asked, seen by the first pictures of every part; those that cannot are left out, or refused if named."""
    unknown = [name for name in names or () if name not in SCORES]
    if unknown:
        raise UserError(f"there is no score {unknown[0]!r}; there are: {', '.join(SCORES)}")
    found: dict[str, Question] = {}
    for name in names or SCORES:
        question = SCORES[name]
        reasons = [missing(question, one.first) for one in (parts if question.learns else parts[:1]) if one.first]
        if question.learns and len(reasons) < 3:
            reasons.append("it learns, and needs pictures to learn from and others to choose by")
        reason = next((reason for reason in reasons if reason), None)
        if reason and names:
            raise UserError(f"{name} cannot be scored: {reason}")
        if not reason:
            found[name] = question
    return found


def _kept(measured: Measured) -> Measured:
    return {name: value.cpu() for name, value in measured.items()}


def _joined(found: list[dict[str, Measured]]) -> dict[str, Measured]:
    return {name: {key: torch.cat([one[name][key] for one in found]) for key in found[0][name]} for name in found[0]}


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
