"""Writes the Python programs that repeat an edit, and a prediction."""

from collections.abc import Mapping
from typing import Any

from motes.apps.session.edits import Edits
from motes.apps.session.kind import Reads
from motes.apps.session.kinds import kind_of


def python_lines(edits: Edits, latent: Any, run: str, picture: str, reads: Reads) -> str:
    """A Python program that opens the run, encodes the picture, applies the edits and draws the result.

    `run` is what `Session.open` takes, and `reads` gives the expression for the latent of a picture.
    """
    target, share = edits.towards
    towards = []
    if target and share:
        towards = [f"latent = part_way(latent, {reads(target)}, {share!r})"]
    lines = [
        f"latent = {reads(picture)}",
        *kind_of(latent).lines(edits, latent, reads),
        *towards,
        'to_picture(session.decode(latent)[0]).save("edited.png")',
    ]
    return "\n".join([*_imports(lines, bool(towards)), "", f"session = Session.open({run!r})", *lines, ""])


def future_lines(
    run: str, shot: str, counts: tuple[int, int, int], edits: Mapping[str, Any], others: Mapping[str, str]
) -> str:
    """A Python program that predicts what comes after the last given frame of a shot, as it is after the edits.

    `shot` is the expression for the shot, `counts` are those of given frames, of predicted ones and of futures that
    are drawn, and `others` has the expression for the latent of each picture from which an edit takes something.
    """
    given, steps, samples = counts
    latents = ", ".join(f"{name!r}: {latent}" for name, latent in others.items())
    wanted = f"samples={samples}, edits=Edits.read({dict(edits)!r}), others={{{latents}}}"
    lines = [
        f"shot = {shot}",
        f"wanted = Wanted({wanted})",
        f"foresight = session.foresee(shot, given={given}, steps={steps}, wanted=wanted)",
        f"for number, picture in enumerate(foresight.drawn[{given}:], 1):",
        '    to_picture(picture).save(f"next-{number:02d}.png")',
    ]
    imports = [
        *_imports(lines, False),
        "from motes.apps.session.edits import Edits",
        "from motes.apps.session.foresight import Shot, Wanted",
    ]
    if "read_picture" in shot:
        imports.append("from motes.data.files.picture_files import read_picture")
    paths = ["from pathlib import Path", ""] if "Path(" in shot else []
    return "\n".join([*paths, *sorted(imports), "", f"session = Session.open({run!r})", *lines, ""])


def _imports(lines: list[str], blends: bool) -> list[str]:
    imports = ["from motes.apps.drawing.marks import to_picture"]
    if blends:
        imports.append("from motes.apps.session.kinds import part_way")
    imports.append("from motes.apps.session.session import Session")
    if any("read_recipe" in line for line in lines):
        imports.append("from motes.training.recipe import read_recipe")
        imports.append("from motes.weights.runs import run_folder")
    return imports
