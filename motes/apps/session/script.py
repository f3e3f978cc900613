"""An edit as the lines of Python that do the same."""

from collections.abc import Callable, Mapping
from typing import Any

from motes.apps.session.edits import Edits, Touch, certainty_of, code_field
from motes.types.latents import Particles

Reads = Callable[[str], str]  # a picture's name -> the expression that reads it


def python_lines(edits: Edits, latent: Any, run: str, picture: str, reads: Reads) -> str:
    """To be run as they stand, where the pictures can be had again by their names."""
    body = (
        _particle_lines(edits, latent, reads) if isinstance(latent, Particles) else _code_lines(edits, latent)
    )
    name, share = edits.towards
    way = [f"latent = on_the_way(latent, session.encode({reads(name)}), {share!r})"] if name and share else []
    lines = [
        f"latent = session.encode({reads(picture)})",
        *body,
        *way,
        'to_picture(session.decode(latent)[0]).save("edited.png")',
    ]
    imports = [
        "from motes.apps.drawing.marks import to_picture",
        *(["from motes.apps.session.edits import on_the_way"] if way else []),
    ]
    imports.append("from motes.apps.session.session import Session")
    if any("read_recipe" in line for line in lines):
        imports = ["from pathlib import Path", "", *imports, "from motes.training.recipe import read_recipe"]
    return "\n".join([*imports, "", f"session = Session.open({run!r})", *lines, ""])


def _particle_lines(edits: Edits, latent: Particles, reads: Reads) -> list[str]:
    lines = []
    count = latent.count
    others = {touch.look[0] for touch in edits.particles.values() if touch.look}
    others |= {touch.copy_of[0] for touch in edits.particles.values() if touch.copy_of} | {edits.background}
    named = {"": "before"} | {name: f"other_{n}" for n, name in enumerate(sorted(others - {""}))}
    if any(touch.look or touch.copy_of for touch in edits.particles.values()):
        lines.append("before = latent")
    for name in sorted(others - {""}):
        lines.append(f"{named[name]} = session.encode({reads(name)})")
    for k in (certainty_of(latent) < edits.threshold).nonzero()[:, 0].tolist():
        lines.append(f"latent = latent.without({k})  # less certain than {edits.threshold:g}")
    for k, touch in sorted(edits.particles.items()):
        lines += _touch_lines(k, touch, k >= count, named)
    if edits.background:
        lines.append(f"latent = latent.with_background_of({named[edits.background]})")
    if edits.order:
        lines.append(f"latent = latent.restacked({list(edits.order)})")
    return lines


def _touch_lines(k: int, touch: Touch, added: bool, named: Mapping[str, str]) -> list[str]:
    lines = []
    if touch.copy_of is not None:
        name = named[touch.copy_of[0]]
        source = touch.copy_of[1]
        edit = f"joined({name}, {source})" if added else f"with_particle_of({name}, {source}, {k})"
        lines.append(f"latent = latent.{edit}")
    if touch.look is not None:
        lines.append(
            f"latent = latent.with_features({k}, {named[touch.look[0]]}.features[0, {touch.look[1]}])"
        )
    if touch.features:
        lines.append(f"look = latent.features[0, {k}].clone()")
        lines += [f"look[{dimension}] = {value!r}" for dimension, value in sorted(touch.features.items())]
        lines.append(f"latent = latent.with_features({k}, look)")
    if touch.position is not None:
        lines.append(f"latent = latent.placed({k}, {touch.position})")
    if touch.presence is not None:
        lines.append(f"latent = latent.with_presence({k}, {touch.presence!r})")
    return lines


def _code_lines(edits: Edits, latent: Any) -> list[str]:
    name = code_field(latent)
    return [f"latent.{name}[0, {dimension}] = {value!r}" for dimension, value in sorted(edits.code.items())]
