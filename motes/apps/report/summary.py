"""The beginning of a report: what a latent is, one picture and what becomes of it, and three scores in words."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from motes.apps.drawing import marks as draw
from motes.apps.drawing import svg
from motes.apps.report.panels import Shown, cell
from motes.evaluation import SCORES, Score

# scores that are told in words, at most
TOLD = 3


@dataclass(frozen=True)
class Words:
    """How a report speaks of a kind of latent."""

    meaning: str
    # one of its things, and all of it
    thing: str
    everything: str


# kind of latent -> its words
WORDS = {
    "particles": Words(
        "A latent particle is a point that the model puts on something that it found in a picture, without "
        "labels: it says where that is, how it looks and how sure the model is of it.",
        "particle",
        "particles",
    ),
    "slots": Words(
        "A slot is the model's account of one thing in a picture, found without labels: which pixels it has, "
        "and how it looks.",
        "slot",
        "slots",
    ),
    "code": Words(
        "A code is a short list of numbers from which the model draws a whole picture.", "code", "code"
    ),
    "other": Words(
        "A latent is what the model keeps of a picture; from that alone it draws the picture again.",
        "latent",
        "latent",
    ),
}

# the least value of each word, best first
Levels = tuple[tuple[float, str], ...]
SHARES: Levels = (
    (0.98, "excellent"),
    (0.9, "very good"),
    (0.75, "good"),
    (0.5, "fair: longer training may help"),
    (0.0, "poor: the model has not learnt this yet"),
)
DECIBELS: Levels = (
    (35.0, "hard to tell from the original"),
    (30.0, "small differences"),
    (25.0, "softer than the original"),
    (20.0, "coarse"),
    (-100.0, "only a rough idea of it"),
)
AGREEMENTS: Levels = (
    (0.95, "excellent"),
    (0.8, "very good"),
    (0.6, "good"),
    (0.4, "fair: longer training may help"),
    (-1.0, "poor: the model has not learnt this yet"),
)


@dataclass(frozen=True)
class Saying:
    """How a score is said in words."""

    name: str
    # what follows the number, with a gap for the name of a thing
    words: str
    rival: str
    levels: Levels
    shown: Callable[[float], str]


def percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def in_decibels(value: float) -> str:
    return f"{value:.1f} dB"


def number(value: float) -> str:
    return f"{value:.2f}"


# in the order in which they are told, the first that a report has
SAYINGS = (
    Saying("found_inside_mask", "of the things have a {} on them", "chance", SHARES, percent),
    Saying("found", "of the things have a {} near their middle", "chance", SHARES, percent),
    Saying("clean_inside_mask", "of the {}s lie on a thing", "chance", SHARES, percent),
    Saying("clean", "of the {}s lie near a thing's middle", "chance", SHARES, percent),
    Saying("psnr", "between pictures and what is drawn of them", "the median picture", DECIBELS, in_decibels),
    Saying("ari_fg", "agreement on which pixels belong together", "chance", AGREEMENTS, number),
    Saying("count_right", "of the pictures have as many {}s as things", "chance", SHARES, percent),
    Saying("ssim", "likeness of structure, 1 at best", "the median picture", AGREEMENTS, number),
)
# of two scores that say nearly the same, one is told
INSTEAD = {"found": "found_inside_mask", "clean": "clean_inside_mask"}


def words_of(kind: str) -> Words:
    """The words for a kind of latent; those of another package have none of their own."""
    return WORDS.get(kind, WORDS["other"])


def way(shown: Shown) -> str:
    """The HTML of one picture, what was found in it, and the picture drawn again from that alone."""
    words = words_of(shown.kind)
    steps = [(cell(shown.image[0]), "a picture that training never saw")]
    if shown.kind == "particles":
        marks = draw.marks(shown.latent, 0, shown.boxes, shown.middles)
        rings = svg.rings(marks, 0, *shown.image.shape[2:])
        sure = sum(mark.sure for mark in marks)
        steps.append(
            (cell(shown.image[0], rings), f"{sure} {words.thing if sure == 1 else words.everything}")
        )
    steps.append((cell(shown.drawn[0]), f"drawn again from the {words.everything} alone"))
    figures = [f"<li>{drawing}<p>{caption}</p></li>" for drawing, caption in steps]
    return f'<ol class="way">{"".join(figures)}</ol>'


def verdicts(kind: str, scores: Mapping[str, Score]) -> str:
    """The HTML of three scores in words, each with how good that is; `kind` is that of the latent."""
    sayings = [saying for saying in SAYINGS if _is_told(saying.name, scores)]
    items = "".join(_verdict(saying, words_of(kind).thing, scores) for saying in sayings[:TOLD])
    return f'<ul class="verdicts">{items}</ul>' if items else ""


def _is_told(name: str, scores: Mapping[str, Score]) -> bool:
    return name in scores and not math.isnan(scores[name].value) and INSTEAD.get(name) not in scores


def _verdict(saying: Saying, thing: str, scores: Mapping[str, Score]) -> str:
    score = scores[saying.name]
    rival = _rival(saying.name, scores)
    how_good = next((words for least, words in saying.levels if score.value >= least), saying.levels[-1][1])
    beside = ""
    if rival is not None:
        beside = f" {saying.rival.capitalize()} has {saying.shown(rival.value)}."
        if score.value <= rival.high:
            how_good = f"no better than {saying.rival}"
    return (
        f"<li><b>{saying.shown(score.value)}</b> {saying.words.format(thing)}: "
        f"<strong>{how_good}</strong>.{beside}</li>"
    )


def _rival(name: str, scores: Mapping[str, Score]) -> Score | None:
    """The same score of chance or of the median picture, where it was measured."""
    rivals = [SCORES[question].rivals.get(name, "") for question in SCORES]
    return next((scores[rival] for rival in rivals if rival in scores), None)
