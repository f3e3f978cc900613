"""Writes the Python program that repeats an edit."""

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


def _imports(lines: list[str], blends: bool) -> list[str]:
    imports = ["from motes.apps.drawing.marks import to_picture"]
    if blends:
        imports.append("from motes.apps.session.kinds import part_way")
    imports.append("from motes.apps.session.session import Session")
    if any("read_recipe" in line for line in lines):
        imports.append("from motes.training.recipe import read_recipe")
        imports.append("from motes.weights.runs import run_folder")
    return imports
