"""The progress of an unfinished run: curves, pictures, and warnings with a sentence on what to try."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from motes.apps.studio.history import Lines, MetricsHistory
from motes.training.recipe import read_recipe
from motes.training.run import Run

# the newest pictures that are sent, at most
PICTURES = 40

Values = list[int | float]


def run_progress(run: Run, history: MetricsHistory, position: str = "") -> dict[str, Any]:
    """What a run wrote since a position in its history, the names of its pictures, and warnings about it."""
    lines, until, goes_on = history.since(position)
    pictures = sorted(path.name for path in run.pictures.glob("step-*.png"))[-PICTURES:]
    return {
        "goes_on": goes_on,
        "until": until,
        "lines": [_finite(line) for line in lines],
        "pictures": pictures,
        "health": health(history.whole()),
    }


def run_options(folder: Path) -> dict[str, str]:
    """The options of a run by their names on the command line, each as it would be written there."""
    recipe = read_recipe(folder)
    groups = {"model": recipe.model_config, "data": recipe.data.config, "training": asdict(recipe.training)}
    named = {
        f"{group}.{name.replace('_', '-')}": _as_words(value)
        for group, options in groups.items()
        for name, value in options.items()
    }
    return {"model": recipe.model, "data": recipe.data.name, "preset": recipe.preset, **named}


def _as_words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(_as_words, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def health(lines: Lines) -> list[str]:
    """Sentences about what may be going wrong in a run; none if it goes well."""
    losses = [line["total"] for line in lines if "total" in line]
    validations = [line["validation"] for line in lines if "validation" in line]
    return [
        *_divergence(losses),
        *_overfitting(validations),
        *_standstill(losses),
        *_collapse(lines),
    ]


def _divergence(losses: Values) -> list[str]:
    if _all_finite(losses[-20:]):
        return []
    return ["The loss is not finite; try a smaller --training.learning-rate."]


def _overfitting(validations: Values) -> list[str]:
    if len(validations) < 4 or not _all_finite(validations):
        return []
    if min(validations[-3:]) <= 1.1 * min(validations[:-3]):
        return []
    return [
        "Held-out loss has been rising over three validations; the best checkpoint is kept, "
        "more pictures would help."
    ]


def _standstill(losses: Values) -> list[str]:
    if len(losses) < 60 or not _all_finite(losses):
        return []
    early = sum(losses[-60:-30]) / 30
    late = sum(losses[-30:]) / 30
    if abs(early - late) >= 0.002 * abs(early):
        return []
    return [
        "The loss has hardly moved for a while; it may be done, or want a larger --training.learning-rate."
    ]


def _collapse(lines: Lines) -> list[str]:
    sentences = []
    for name in ("feature_kl", "kl"):
        values = _values_of(name, lines)
        if len(values) > 20 and values[-1] < 0.05:
            sentences.append(
                f"{name} is near 0: the looks carry nothing; "
                "try a smaller second number in --model.kl-weights."
            )
    return sentences


def _finite(line: dict[str, Any]) -> dict[str, Any]:
    """The line of metrics with None for values that are not finite, because JSON has no infinity."""
    totals = {name: _or_none(line[name]) for name in ("validation", "total") if name in line}
    terms = {name: _or_none(value) for name, value in line.get("terms", {}).items()}
    return {**line, **totals, "terms": terms}


def _or_none(value: int | float | None) -> int | float | None:
    return None if value is None or not math.isfinite(value) else value


def _all_finite(values: Values) -> bool:
    return all(map(math.isfinite, values))


def _values_of(name: str, lines: Lines) -> Values:
    """The values of the loss term `name`, from the lines that hold it, in their order."""
    return [line["terms"][name] for line in lines if name in line.get("terms", {})]
