"""report.html: one self-contained page of a run: pictures, particles, reconstructions, curves, scores, and
what to try next."""

import math
import platform
from collections.abc import Iterable
from html import escape
from itertools import pairwise
from pathlib import Path
from string import Template
from typing import Any

import torch
from PIL import Image as Pictures
from torch import Tensor

from motes.apps.drawing import marks as draw
from motes.apps.drawing import svg
from motes.data.base import Dataset
from motes.evaluation import Score
from motes.evaluation.explanations import explanation
from motes.models.abilities import Glimpses, Proposes, Samples
from motes.models.base import Model, device_of
from motes.plain.writing import whole_file
from motes.training.recipe import Recipe
from motes.training.run import Run
from motes.types.latents import Image, Particles

SHOWN = 8
WITH_GLIMPSES = 4  # pictures whose glimpses are shown


def write_report(run: Run, recipe: Recipe, model: Model, data: Dataset, scores: dict[str, Score]) -> Path:
    """Written beside its place and moved there, so that a reader never meets half a page. Leaves the
    pictures it shows in samples/."""
    image = data.batch(range(min(SHOWN, len(data)))).image.to(device_of(model))
    lines = run.read_metrics()
    page = Template((Path(__file__).with_name("report.html")).read_text(encoding="utf-8")).substitute(
        name=escape(run.folder.resolve().name),
        folder=escape(str(run.folder)),
        facts="".join(
            f"<li><b>{key}</b>{escape(value)}</li>" for key, value in facts(recipe, model, lines).items()
        ),
        data_words="shapes" if recipe.data == "shapes" else "pictures",
        scores=_scores(scores),
        panels="".join(
            f"<h2>{title}</h2><p>{words}</p>{drawing}" for title, words, drawing in panels(model, image)
        ),
        shown=max(len(image), SHOWN // 2),  # few pictures are not blown up
        steps=f"{steps_done(lines):,}",
        curves=_curves(run),
        next=escape("\n".join(next_commands(run.folder))),
    )
    with whole_file(run.folder / "report.html") as fresh:
        _save_samples(run.folder / "samples", image)
        fresh.write_text(page, encoding="utf-8")
    return run.folder / "report.html"


def next_commands(folder: Path) -> list[str]:
    """Three that work as they stand, on held-out pictures that the report leaves in the run folder."""
    commands = {
        f"motes encode {folder} {folder}/samples --out {folder}/encoded": "what is where: tables and overlays",
        f"motes reconstruct {folder} {folder}/samples --out {folder}/drawn": "what the model makes of it",
        f"motes info {folder}": "what it is made of",
    }
    return [f"{command:<{max(map(len, commands))}}   # {about}" for command, about in commands.items()]


def preview(model: Model, image: Image) -> Pictures.Image:
    """Originals over what the model sees over reconstructions, as one picture."""
    with torch.no_grad():
        latent = model.encode(image)
        drawn = model.decode(latent)
    rows = [[draw.to_picture(one, 128) for one in image], [draw.to_picture(one, 128) for one in drawn]]
    if isinstance(latent, Particles):
        rows.insert(1, [draw.with_particles(image[n], latent, n, 128) for n in range(len(image))])
    return draw.sheet(rows)


def panels(model: Model, image: Image) -> Iterable[tuple[str, str, str]]:
    """Title, a sentence, the drawing; panels appear by what the latent and the model offer."""
    with torch.no_grad():
        latent = model.encode(image)
        drawn = model.decode(latent)
        yield "Originals", "Pictures that training never saw.", _strip(image)
        if isinstance(latent, Particles):
            rings = [svg.rings(draw.marks(latent, n), n, *image.shape[2:]) for n in range(len(image))]
            words = "A ring where the model is sure that something is: the larger, the surer of its place. Faint dots: it doubts. Point at one."
            yield "Particles", words, _strip(image, rings)
        error = (drawn - image).abs().mean(1, keepdim=True)
        words = (
            "Drawn from the latent alone; below, where that is off (black: not at all, white: by everything)."
        )
        yield "Reconstructions", words, _strip(drawn) + _strip(error)
        if isinstance(model, Proposes):
            dots = [svg.dots(points.tolist(), *image.shape[2:]) for points in model.proposals(image)]
            yield (
                "Proposals",
                "Points that the prior proposes, patch by patch; the particles are drawn to them.",
                _strip(image, dots),
            )
        if isinstance(model, Glimpses) and isinstance(latent, Particles):
            words = "Each particle drawn alone, over chequers where it is transparent; faint where the model doubts it. The front comes first."
            rows = (
                _glimpses(image[n], latent, model.glimpses(latent)[n], n)
                for n in range(min(WITH_GLIMPSES, len(image)))
            )
            yield "Glimpses", words, "".join(rows)
        if isinstance(model, Samples):
            torch.manual_seed(0)
            yield (
                "New pictures",
                "Drawn from codes that belong to no picture.",
                _strip(model.decode(model.sample(len(image)))),
            )


def steps_done(lines: list[dict[str, Any]]) -> int:
    """A step's own line counts from 0; a validation's says how many went before."""
    return max((line["step"] + ("total" in line) for line in lines), default=0)


def facts(recipe: Recipe, model: Model, lines: list[dict[str, Any]]) -> dict[str, str]:
    """What one asks of a run before believing it."""
    count = sum(parameter.numel() for parameter in model.parameters())
    cuda = torch.cuda.is_available()
    found = {
        "preset": recipe.preset or recipe.model,
        "data": recipe.data,
        "seed": str(recipe.training.seed),
        "steps": f"{steps_done(lines):,}",
        "minutes": f"{max((line['seconds'] for line in lines if 'seconds' in line), default=0) / 60:.1f}",
        "batch": str(recipe.training.batch_size),
        "parameters": f"{count / 1e6:.2f} M",
        "picture": f"{model.config.image_size[0]} × {model.config.image_size[1]}",
        "machine": torch.cuda.get_device_name()
        if cuda
        else f"{platform.machine()} CPU, {torch.get_num_threads()} thread(s)",
    }
    if hasattr(model.config, "num_particles"):
        found["particles"] = str(model.config.num_particles)
    return found


def _strip(images: Tensor, over: list[str] | None = None) -> str:
    cells = (
        f'<figure class="cell"><img alt="" src="{draw.as_data_uri(draw.to_picture(one))}">{over[n] if over else ""}</figure>'
        for n, one in enumerate(images)
    )
    return f'<div class="strip">{"".join(cells)}</div>'


def _glimpses(image: Tensor, latent: Particles, windows: Tensor, picture: int) -> str:
    found = draw.marks(latent, picture)
    overview = f'<figure class="cell"><img alt="" src="{draw.as_data_uri(draw.to_picture(image))}">{svg.rings(found, picture, *image.shape[1:])}</figure>'
    cells = (
        f'<figure class="glimpse{"" if mark.sure else " doubted"}" data-mote="{picture}-{mark.number}" style="--c:rgb{mark.colour}" '
        f'title="{escape(mark.label)}"><img alt="" src="{draw.as_data_uri(draw.cutout(windows[mark.number]))}"><figcaption>{mark.number}</figcaption></figure>'
        for mark in sorted(found, key=lambda mark: mark.number)
    )
    return f'<div class="glimpses">{overview}{"".join(cells)}</div>'


def _scores(scores: dict[str, Score]) -> str:
    rows = "".join(
        f"<tr><td>{name.replace('_', ' ')}<td class=n>{_number(score.value)}<td class=soft>{_number(score.low)} – {_number(score.high)}<td class=soft>{escape(explanation(name), quote=False)}"
        for name, score in scores.items()
    )
    return f"<tr><th>score<th>value<th>range<th>what it says{rows}"


def _number(value: float) -> str:
    if math.isnan(value):
        return "none"
    return f"{value:.3f}" if value == 0 or abs(value) >= 0.01 else f"{value:.2g}"


def _curves(run: Run) -> str:
    lines = run.read_metrics()
    steps = [line for line in lines if "total" in line]
    if not steps:
        return ""
    stages = [
        (now["step"], now["stage"]) for before, now in pairwise(steps) if now["stage"] != before["stage"]
    ]
    names = list(dict.fromkeys(name for line in steps for name in line["terms"]))
    last = max(line["step"] for line in lines)
    terms = [
        svg.curve(
            [(line["step"], line["terms"][name]) for line in steps if name in line["terms"]],
            name,
            last,
            stages,
        )
        for name in names
    ]
    held_out = svg.curve(
        [(line["step"], line["validation"]) for line in lines if "validation" in line],
        "validation loss",
        last,
        stages,
    )
    return "".join([held_out, *terms])


def _save_samples(folder: Path, image: Tensor) -> None:
    folder.mkdir(exist_ok=True)
    for n, one in enumerate(image):
        draw.to_picture(one).save(folder / f"held-out-{n}.png")
