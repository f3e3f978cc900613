"""Writes report.html: one self-contained page about a run.

It shows pictures, particles, reconstructions, curves, scores, and commands to try next.
"""

import math
import platform
from html import escape
from itertools import pairwise
from pathlib import Path
from string import Template
from typing import Any

import torch

from motes.apps.drawing import marks as draw
from motes.apps.drawing import svg
from motes.apps.report.panels import Shown, panels
from motes.apps.report.summary import verdicts, way, words_of
from motes.apps.session.clips import clip_length
from motes.data.base import Dataset
from motes.evaluation import Score
from motes.evaluation.explanations import Group, grouped, scored_pictures
from motes.models.base import Model, count_parameters, device_of
from motes.plain.writing import whole_file
from motes.training.length import change_sentence, clock_sentence
from motes.training.recipe import Recipe
from motes.training.run import Run
from motes.types.latents import Image

# pictures on the page
SHOWN = 8

# lines of a run's metrics
Lines = list[dict[str, Any]]


def write_report(run: Run, recipe: Recipe, model: Model, data: Dataset, scores: dict[str, Score]) -> Path:
    """Write the report, and the pictures that it shows into samples/.

    The page appears whole or not at all.
    """
    rows, frames = _shown_rows(model, data)
    image = data.batch(rows).image.to(device_of(model))
    lines = run.read_metrics()
    shown = Shown.of(model, image, frames)
    template = Template(Path(__file__).with_name("report.html").read_text(encoding="utf-8"))
    page = template.substitute(
        name=escape(run.folder.resolve().name),
        folder=escape(str(run.folder)),
        facts=_listed({**_facts(recipe, model, lines), **_length(recipe, run)}),
        data_words="shapes" if recipe.data.name == "shapes" else "pictures",
        scores=_scores(scores),
        scored=f"{scored_pictures(scores):,}",
        panels="".join(panel.html() for panel in panels(shown)),
        meaning=words_of(shown.kind).meaning,
        way=way(shown),
        verdicts=verdicts(shown.kind, scores),
        # few pictures are not enlarged
        shown=max(len(image), SHOWN // 2),
        steps=f"{steps_done(lines):,}",
        curves=_curves(lines),
        next=escape("\n".join(next_commands(run.folder))),
    )
    with whole_file(run.folder / "report.html") as fresh:
        _save_samples(run.folder / "samples", image)
        fresh.write_text(page, encoding="utf-8")
    return run.folder / "report.html"


def next_commands(folder: Path) -> list[str]:
    """Three commands to try next, which work as written: they use held-out pictures in the run folder."""
    samples = f"{folder} {folder}/samples"
    commands = {
        f"motes encode {samples} --out {folder}/encoded": "what is where: tables and overlays",
        f"motes reconstruct {samples} --out {folder}/drawn": "what the model makes of it",
        f"motes info {folder}": "what it is made of",
    }
    return [f"{command:<{max(map(len, commands))}}   # {about}" for command, about in commands.items()]


def steps_done(lines: Lines) -> int:
    """The number of training steps that the lines of metrics.jsonl record.

    A line of a step holds the number of steps before it; a line of a validation holds the steps done.
    """
    return max((line["step"] + ("total" in line) for line in lines), default=0)


def _shown_rows(model: Model, data: Dataset) -> tuple[list[int], int]:
    """The rows of the pictures to show, and the frames of a clip. A model of clips is shown whole clips."""
    frames = min(clip_length(model.window, SHOWN), data.frames)
    if frames == 1:
        return list(range(min(SHOWN, len(data)))), 1
    clips = min(max(SHOWN // frames, 1), len(data) // data.frames)
    return [clip * data.frames + time for clip in range(clips) for time in range(frames)], frames


def _facts(recipe: Recipe, model: Model, lines: Lines) -> dict[str, str]:
    """Facts about the run that a reader should know before trusting its scores, as name -> text."""
    seconds = max((line["seconds"] for line in lines if "seconds" in line), default=0)
    facts = {
        "preset": recipe.preset or recipe.model,
        "data": recipe.data.name,
        "seed": str(recipe.training.seed),
        "steps": f"{steps_done(lines):,}",
        "minutes of training": f"{seconds / 60:.1f}",
        "batch": str(recipe.training.batch_size),
        "parameters": f"{count_parameters(model) / 1e6:.2f} M",
        "picture": f"{model.config.image_size[0]} × {model.config.image_size[1]}",
        "machine": _machine(),
    }
    particles = vars(model.config).get("num_particles")
    return facts if particles is None else {**facts, "particles": str(particles)}


def _listed(facts: dict[str, str]) -> str:
    return "".join(f"<li><b>{name}</b>{escape(text)}</li>" for name, text in facts.items())


def _length(recipe: Recipe, run: Run) -> dict[str, str]:
    """How the length of the run was changed, and whether the clock ended it, as name -> text."""
    changes = "; ".join(change_sentence(change) for change in recipe.changes)
    facts = {"length changed": changes, "ended": clock_sentence(run.folder)}
    return {name: text for name, text in facts.items() if text}


def _machine() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{platform.machine()} CPU, {torch.get_num_threads()} thread(s)"


def _scores(scores: dict[str, Score]) -> str:
    """The scores as rows of an HTML table."""
    groups = [_group(group) for group in grouped(scores)]
    return "<tr><th>score<th>value<th>range<th>trivial rival<th>what it says" + "".join(groups)


def _group(group: Group) -> str:
    """The rows of one question's scores, below a row that says what it asks."""
    rows = [
        f"<tr><td>{escape(line.name.replace('_', ' '), quote=False)}<td class=n>{_number(line.score.value)}"
        f"<td class=soft>{_number(line.score.low)} – {_number(line.score.high)}"
        f"<td class=soft>{'' if line.rival is None else _number(line.rival.value)}"
        f"<td class=soft>{escape(line.explanation, quote=False)}"
        for line in group.lines
    ]
    title = f"<tr><th colspan=5>{escape(group.question)}: {escape(group.about, quote=False)}"
    return title + "".join(rows)


def _number(value: float) -> str:
    if math.isnan(value):
        return "none"
    return f"{value:.3f}" if value == 0 or abs(value) >= 0.01 else f"{value:.2g}"


def _stages(steps: Lines) -> list[tuple[int, str]]:
    """The first step and the name of each stage after the first."""
    pairs = pairwise(steps)
    return [(line["step"], line["stage"]) for before, line in pairs if line["stage"] != before["stage"]]


def _curves(lines: Lines) -> str:
    """The HTML of curves over the steps: the held-out loss, and each term of the loss."""
    steps = [line for line in lines if "total" in line]
    if not steps:
        return ""
    stages = _stages(steps)
    last = max(line["step"] for line in lines)
    validations = [(line["step"], line["validation"]) for line in lines if "validation" in line]
    curves = {"validation loss": validations} | {name: _points(steps, name) for name in _term_names(steps)}
    return "".join(svg.curve(points, name, last, stages) for name, points in curves.items())


def _term_names(steps: Lines) -> list[str]:
    return list(dict.fromkeys(name for line in steps for name in line["terms"]))


def _points(steps: Lines, name: str) -> list[tuple[int, float]]:
    return [(line["step"], line["terms"][name]) for line in steps if name in line["terms"]]


def _save_samples(folder: Path, image: Image) -> None:
    folder.mkdir(exist_ok=True)
    for number, pixels in enumerate(image):
        draw.to_picture(pixels).save(folder / f"held-out-{number}.png")
