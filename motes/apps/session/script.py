"""An edit as the lines of Python that do the same."""

from typing import Any

from motes.apps.session.edits import Edits
from motes.apps.session.kind import Reads
from motes.apps.session.kinds import kind_of


def python_lines(edits: Edits, latent: Any, run: str, picture: str, reads: Reads) -> str:
    """To be run as they stand, where the pictures can be had again by their names."""
    name, share = edits.towards
    way = [f"latent = on_the_way(latent, session.encode({reads(name)}), {share!r})"] if name and share else []
    lines = [
        f"latent = session.encode({reads(picture)})",
        *kind_of(latent).lines(edits, latent, reads),
        *way,
        'to_picture(session.decode(latent)[0]).save("edited.png")',
    ]
    imports = ["from motes.apps.drawing.marks import to_picture"]
    if way:
        imports.append("from motes.apps.session.kinds import on_the_way")
    imports.append("from motes.apps.session.session import Session")
    if any("read_recipe" in line for line in lines):
        imports = ["from pathlib import Path", "", *imports, "from motes.training.recipe import read_recipe"]
    return "\n".join([*imports, "", f"session = Session.open({run!r})", *lines, ""])
