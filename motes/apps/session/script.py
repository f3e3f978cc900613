"""Writes the Python program that repeats an edit."""

from typing import Any

from motes.apps.session.edits import Edits
from motes.apps.session.kind import Reads
from motes.apps.session.kinds import kind_of


def python_lines(edits: Edits, latent: Any, run: str, picture: str, reads: Reads) -> str:
    """A Python program that opens the run, encodes the picture, applies the edits and draws the result.

    It runs as written if the pictures can be read again by their names.
    """
    target, share = edits.towards
    towards = []
    if target and share:
        towards = [f"latent = part_way(latent, session.encode({reads(target)}), {share!r})"]
    lines = [
        f"latent = session.encode({reads(picture)})",
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
        imports = ["from pathlib import Path", "", *imports, "from motes.training.recipe import read_recipe"]
    return imports
