"""report.html: one self-contained page of a run: pictures, particles, reconstructions, curves, scores, and what to try next."""

import html
from pathlib import Path
from typing import Any

import torch

from motes.apps import draw
from motes.data.base import Dataset
from motes.evaluation import Score
from motes.models.base import Model
from motes.ops.types import Particles
from motes.training.recipe import Recipe
from motes.training.run import Run

SHOWN = 8
EXPLAINED = {
    "psnr": "PSNR of the reconstruction, in decibels",
    "found": "share of the objects with a particle near",
    "clean": "share of the particles that lie near an object",
    "distance": "from a found object to its particle, in picture sides",
    "count_error": "particles too many or too few, a picture",
}
STYLE = """:root{color-scheme:light dark;--ink:#1d1d22;--soft:#6b6b76;--paper:#fbfaf8;--card:#fff;--line:#e4e1db;--pink:#d81b60}
@media(prefers-color-scheme:dark){:root{--ink:#ececf1;--soft:#a0a0ad;--paper:#17171b;--card:#212127;--line:#34343c;--pink:#ff4081}}
*{box-sizing:border-box}body{margin:0 auto;max-width:1180px;padding:2.5rem 1.5rem 4rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.9rem;margin:0}h1 em{font-style:normal;color:var(--pink)}h2{font-size:1.1rem;margin:2.5rem 0 .2rem}p{margin:.2rem 0 .8rem;color:var(--soft)}
img{max-width:100%;height:auto;border-radius:6px;image-rendering:pixelated}.panel{overflow-x:auto}
table{border-collapse:collapse;background:var(--card);border-radius:8px;overflow:hidden}td,th{padding:.45rem .9rem;border-bottom:1px solid var(--line);text-align:left}
td.n{font-variant-numeric:tabular-nums;font-weight:600;text-align:right}.curves{display:grid;grid-template-columns:repeat(auto-fill,minmax(250px,1fr));gap:1rem}
.curve{margin:0;background:var(--card);padding:.7rem .9rem;border-radius:8px}.curve span{color:var(--soft);font-size:.85em}svg{width:100%}polyline{fill:none;stroke:var(--pink);stroke-width:1.6}
line{stroke:var(--line)}pre{background:var(--card);padding:.8rem 1rem;border-radius:8px;overflow-x:auto}"""


def write_report(run: Run, recipe: Recipe, model: Model, data: Dataset, scores: dict[str, Score]) -> Path:
    """Written beside its place and moved there, so that a reader never meets half a page."""
    device = next(model.parameters()).device
    image = data.batch(range(min(SHOWN, len(data)))).image.to(device)
    panels = "".join(
        f"<h2>{title}</h2><p>{words}</p><div class=panel><img alt='{title}' src='{uri}'></div>"
        for title, words, uri in _panels(model, image)
    )
    page = (
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><title>motes: {html.escape(run.folder.name)}</title>"
        f"<style>{STYLE}</style><h1>motes <em>{html.escape(run.folder.name)}</em></h1><p>{html.escape(_facts(run, recipe, model))}</p>"
        f"{_scores(scores)}{panels}<h2>Curves</h2><p>Over the steps of the run; terms are unweighted means of a batch.</p>"
        f"<div class=curves>{_curves(run)}</div><h2>Try next</h2><pre>{html.escape(chr(10).join(next_commands(run.folder)))}</pre></html>"
    )
    target, fresh = run.folder / "report.html", run.folder / ".report.part"
    fresh.write_text(page, encoding="utf-8")
    fresh.replace(target)
    return target


def next_commands(folder: Path) -> list[str]:
    return [
        f"motes encode {folder} PICTURES --out particles/      # where the things are, as tables and overlays",
        f"motes reconstruct {folder} PICTURES --out drawn/     # what the model makes of your pictures",
        "motes train dlp-quick --data YOUR_FOLDER --out runs/mine   # the same on your own pictures",
    ]


def preview(model: Model, image: torch.Tensor) -> Any:
    """Originals over what the model sees over reconstructions, as one picture."""
    with torch.no_grad():
        latent = model.encode(image)
        drawn = model.decode(latent)
    rows = [[draw.to_picture(one, 128) for one in image], [draw.to_picture(one, 128) for one in drawn]]
    if isinstance(latent, Particles):
        rows.insert(1, [draw.with_particles(image[n], latent, n, 128) for n in range(len(image))])
    return draw.sheet(rows)


def _panels(model: Model, image: torch.Tensor) -> list[tuple[str, str, str]]:
    """Title, a sentence, the picture; panels appear by what the latent and the model offer."""
    with torch.no_grad():
        latent = model.encode(image)
        drawn = model.decode(latent)
        found = [
            (
                "Originals",
                "Pictures that training never saw.",
                draw.sheet([[draw.to_picture(one, 136) for one in image]]),
            )
        ]
        if isinstance(latent, Particles):
            words = "A pink ring where the model is sure that something is: the larger, the surer of its place. Grey: it doubts."
            found.append(
                (
                    "Particles",
                    words,
                    draw.sheet([[draw.with_particles(image[n], latent, n, 136) for n in range(len(image))]]),
                )
            )
        error = (drawn - image).abs().mean(1, keepdim=True).expand(-1, 3, -1, -1)
        rows = [[draw.to_picture(one, 136) for one in drawn], [draw.to_picture(one, 136) for one in error]]
        found.append(
            (
                "Reconstructions",
                "Decoded from the latent alone, and below where they are off (white: by everything).",
                draw.sheet(rows),
            )
        )
        if (proposals := getattr(model, "proposals", None)) is not None:
            points = proposals(image)
            words = "Points that the prior proposes, patch by patch; the particles are drawn to them."
            found.append(
                (
                    "Proposals",
                    words,
                    draw.sheet([[draw.with_points(image[n], points[n], 136) for n in range(len(image))]]),
                )
            )
        if (glimpses := getattr(model, "glimpses", None)) is not None and isinstance(latent, Particles):
            windows = glimpses(latent)
            words = "Each particle drawn alone, one row a picture, front to back; chequers show through where it is transparent."
            found.append(("Glimpses", words, draw.sheet([[draw.glimpse_strip(windows[n])] for n in range(min(4, len(image)))])))
    return [(title, words, draw.as_data_uri(picture)) for title, words, picture in found]


def _scores(scores: dict[str, Score]) -> str:
    rows = "".join(
        f"<tr><td>{name}<td class=n>{score.value:.3f}<td>{score.low:.3f} – {score.high:.3f}<td>{EXPLAINED.get(name, '')}"
        for name, score in scores.items()
    )
    return f"<h2>Scores</h2><p>On the test split; the range holds 95 % of bootstrap resamples.</p><table><tr><th>score<th>value<th>range<th>what it says{rows}</table>"


def _curves(run: Run) -> str:
    lines = run.read_metrics()
    steps = [line for line in lines if "total" in line]
    names = list(steps[-1]["terms"]) if steps else []
    drawn = [draw.curve([(line["step"], line["terms"][name]) for line in steps if name in line["terms"]], name) for name in names]
    held_out = draw.curve([(line["step"], line["validation"]) for line in lines if "validation" in line], "validation loss")
    return "".join([held_out, *drawn])


def _facts(run: Run, recipe: Recipe, model: Model) -> str:
    lines = [line for line in run.read_metrics() if "total" in line]
    minutes = f"{lines[-1]['seconds'] / 60:.1f} minutes, {lines[-1]['step'] + 1} steps" if lines else "no steps"
    millions = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    threads = f"{torch.get_num_threads()} CPU threads" if not torch.cuda.is_available() else torch.cuda.get_device_name()
    return (
        f"{recipe.preset or recipe.model} on {recipe.data}, seed {recipe.training.seed}: {minutes}, {millions:.2f} M parameters, {threads}."
    )
