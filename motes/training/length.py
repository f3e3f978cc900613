"""The length of a run: how it is changed when a run goes on, and whether the clock cut it short.

Needs no torch.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from motes.errors import UserError
from motes.training.recipe import Change, Recipe, check, read_recipe


@dataclass(frozen=True)
class Length:
    """The length that a run shall have when it goes on; None: as it is.

    Steps alone take the limit of minutes away, as they do when a run begins.
    """

    steps: int | None = None
    max_minutes: float | None = None


def with_length(recipe: Recipe, length: Length, folder: Path, step: int, elapsed: float) -> Recipe:
    """The recipe of a run with another length, and with a record of the change if there is one.

    `step` and `elapsed` are the steps and the seconds that the run has taken; a length below them is refused.
    """
    before = recipe.training
    steps = before.steps if length.steps is None else length.steps
    unlimited = 0.0 if length.steps is not None else before.max_minutes
    minutes = unlimited if length.max_minutes is None else length.max_minutes
    if steps < step:
        raise UserError(f"{folder} has taken {step:,} steps already; --steps must be at least that")
    if length.max_minutes is not None and 60 * minutes < elapsed:
        raise UserError(
            f"{folder} has trained for {elapsed / 60:.2f} minutes already; --max-minutes must be more"
        )
    if (steps, minutes) == (before.steps, before.max_minutes):
        return recipe
    change = Change(step, (before.steps, steps), (before.max_minutes, minutes))
    training = replace(before, steps=steps, max_minutes=minutes)
    check(training)
    return replace(recipe, training=training, changes=(*recipe.changes, change))


def change_sentence(change: Change) -> str:
    """What a change of length was, for a reader.

    >>> change_sentence(Change(612, (1900, 3000), (4.8, 0.0)))
    'at step 612: 3,000 steps instead of 1,900, no limit of minutes instead of 4.8 minutes'
    """
    parts = []
    if change.steps[0] != change.steps[1]:
        parts.append(f"{change.steps[1]:,} steps instead of {change.steps[0]:,}")
    if change.max_minutes[0] != change.max_minutes[1]:
        old, new = (
            f"{minutes:g} minutes" if minutes else "no limit of minutes" for minutes in change.max_minutes
        )
        parts.append(f"{new} instead of {old}")
    return f"at step {change.step:,}: {', '.join(parts)}"


def clock_sentence(folder: Path) -> str:
    """That the clock ended the run before its steps did; an empty text if it did not."""
    try:
        facts: dict[str, Any] = json.loads((folder / "checkpoints" / "last" / "training.json").read_text())
        training = read_recipe(folder).training
        step, elapsed = int(facts["step"]), float(facts["elapsed"])
    except (OSError, ValueError, KeyError, TypeError, UserError):
        return ""
    if step >= training.steps or not 0 < 60 * training.max_minutes <= elapsed:
        return ""
    return (
        f"stopped by max_minutes after {step:,} of {training.steps:,} steps "
        "(the schedule was shortened to fit)"
    )
