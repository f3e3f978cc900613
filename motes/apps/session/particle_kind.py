"""Edits of particles: of their positions, sizes, features, presences, order and background."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from motes.apps.session.edits import ADDED, Edits, Look, Source, Touch
from motes.apps.session.kind import Kind, Reads, in_order, refuse_beyond
from motes.errors import UserError
from motes.ops.points.interpolation import interpolate_particles
from motes.ops.points.pixels import pixels_of_positions
from motes.ops.rendering.footprints import VisibleBoxes
from motes.types.latents import Particles

# columns of a table
BOX = (
    "top_px",
    "left_px",
    "bottom_px",
    "right_px",
    "height_px",
    "width_px",
    "middle_row_px",
    "middle_column_px",
)


class ParticleKind(Kind):
    """Latents that describe a picture as a set of particles with positions."""

    name = "particles"
    files = "particles"
    editable = ("particles", "order", "background", "threshold")
    has_positions = True

    def fits(self, latent: Any) -> bool:
        return isinstance(latent, Particles)

    def numbers(self, latent: Particles) -> dict[str, Tensor]:
        sizes = {} if latent.extent is None else {"scale": latent.extent.scale[0]}
        return {
            "position": latent.position[0],
            "spread": (0.5 * latent.log_variance[0]).exp(),
            "presence": latent.presence[0],
            "certainty": certainty_of(latent),
            "features": latent.features[0],
            "feature_spread": (0.5 * latent.feature_log_variance[0]).exp(),
            **sizes,
        }

    def edited(self, edits: Edits, latent: Particles, look: Look) -> Particles:
        """The latent after the edits.

        Copies of particles are taken from the latent before any edit, so the order of edits does not matter.
        """
        encoded = latent

        def find(name: str) -> Any:
            return look(name) if name else encoded

        for particle in _unsure(edits, latent):
            latent = latent.without(particle)
        for particle, touch in sorted(edits.particles.items()):
            _check_number(particle, touch, latent, encoded)
            latent = _touched(latent, particle, touch, find)
        if edits.background:
            latent = _before_background_of(find(edits.background), latent)
        return in_order(latent, edits.order, "particles")

    def between(self, latent: Particles, target: Particles, share: float) -> Particles:
        return interpolate_particles(latent, target, share)

    def lines(self, edits: Edits, latent: Particles, reads: Reads) -> list[str]:
        sources = _sources(edits)
        pictures = sorted({edits.background, *(name for name, _ in sources)} - {""})
        variables = {"": "before"} | {name: f"other_{number}" for number, name in enumerate(pictures)}
        lines = ["before = latent"] if sources else []
        lines += [f"{variables[name]} = {reads(name)}" for name in pictures]
        for particle in _unsure(edits, latent):
            lines.append(f"latent = latent.without({particle})  # less certain than {edits.threshold:g}")
        for particle, touch in sorted(edits.particles.items()):
            lines += _touch_lines(particle, touch, particle >= latent.count, variables)
        if edits.background:
            lines.append(f"latent = latent.with_background_of({variables[edits.background]})")
        if edits.order:
            lines.append(f"latent = latent.restacked({list(edits.order)})")
        return lines

    def vectors(self, latent: Particles) -> Float[Tensor, "M F"]:
        """The features of the particles that the model believes in; of all particles if it believes in two or
        fewer."""
        features = latent.features[latent.believed]
        return features if len(features) > 2 else latent.features.flatten(0, 1)

    def rows(
        self,
        latent: Particles,
        picture: int,
        boxes: VisibleBoxes | None = None,
        middles: Float[Tensor, "B K 2"] | None = None,
    ) -> list[dict[str, Any]]:
        middles = latent.position if middles is None else middles
        return [
            {
                **_row(latent, picture, particle),
                **_box(boxes, middles, picture, particle),
                **_look(latent, picture, particle),
            }
            for particle in range(latent.count)
        ]

    def columns(self, latent: Particles) -> dict[str, Tensor]:
        return {**latent.tensors(), "there": latent.believed}

    def with_one_more(self, latent: Particles) -> Particles:
        return latent.joined(latent, 0)

    def with_presence(self, latent: Particles, presence: float) -> Particles:
        return replace(latent, presence=torch.full_like(latent.presence, presence))

    def has_sizes(self, latent: Particles) -> bool:
        return latent.extent is not None


def certainty_of(latent: Particles, picture: int = 0) -> Float[Tensor, "K"]:
    """The certainty of each particle of one picture, in [0, 1].

    If the model gives no certainty, it is replaced by the particle's rank by confidence (1 is least
    confident), divided by the number of particles.
    """
    if latent.certainty is not None:
        return latent.certainty[picture]
    rank = latent.confidence[picture].argsort().argsort()
    return (rank + 1) / len(rank)


def _sources(edits: Edits) -> list[Source]:
    """The particles whose features, or all of whose parts, the edits copy into others."""
    touches = edits.particles.values()
    return [source for touch in touches for source in (touch.look, touch.copy_of) if source]


def _unsure(edits: Edits, latent: Particles) -> list[int]:
    """The numbers of the particles whose certainty is below the threshold of the edits."""
    return (certainty_of(latent) < edits.threshold).nonzero()[:, 0].tolist()


def _check_number(particle: int, touch: Touch, latent: Particles, encoded: Particles) -> None:
    """Refuse the number of an edited particle unless it exists, or is the next number and the edit is a
    copy."""
    beyond = particle >= encoded.count + ADDED or particle > latent.count
    if beyond or (particle == latent.count and touch.copy_of is None):
        raise UserError(f"there is no particle {particle}; this picture has {latent.count}")


def _touched(latent: Particles, particle: int, touch: Touch, find: Look) -> Particles:
    if touch.copy_of is not None:
        donor, source = _copied(touch.copy_of, latent, find)
        added = particle == latent.count
        latent = latent.joined(donor, source) if added else latent.with_particle_of(donor, source, particle)
    if touch.look is not None:
        donor, source = _copied(touch.look, latent, find)
        latent = latent.with_features(particle, donor.features[0, source])
    if touch.features:
        latent = latent.with_features(particle, _changed(latent.features[0, particle], touch.features))
    if touch.position is not None:
        latent = latent.placed(particle, touch.position)
    if touch.scale is not None:
        latent = latent.with_scale(particle, touch.scale)
    return latent if touch.presence is None else latent.with_presence(particle, touch.presence)


def _changed(features: Float[Tensor, " F"], changes: Mapping[int, float]) -> Float[Tensor, " F"]:
    features = features.clone()
    for dimension, value in changes.items():
        refuse_beyond(dimension, len(features), "a look of this model")
        features[dimension] = value
    return features


def _before_background_of(donor: Any, latent: Particles) -> Particles:
    if not isinstance(donor, Particles) or donor.background.shape != latent.background.shape:
        raise UserError("the background of another model does not fit this one")
    return latent.with_background_of(donor)


def _copied(source: Source, latent: Particles, find: Look) -> tuple[Particles, int]:
    """The latent that holds the particle to copy, and the number of that particle."""
    name, particle = source
    donor = find(name)
    fits = isinstance(donor, Particles) and donor.features.shape[-1] == latent.features.shape[-1]
    if not fits or particle >= donor.count:
        raise UserError(f"there is no particle {particle} to copy" + (f" in {name}" if name else ""))
    return donor, particle


def _touch_lines(particle: int, touch: Touch, added: bool, variables: Mapping[str, str]) -> list[str]:
    lines = []
    if touch.copy_of is not None:
        lines.append(_copy_line(particle, touch.copy_of, added, variables))
    if touch.look is not None:
        features = f"{variables[touch.look[0]]}.features[0, {touch.look[1]}]"
        lines.append(f"latent = latent.with_features({particle}, {features})")
    if touch.features:
        lines += _feature_lines(particle, touch.features)
    if touch.position is not None:
        lines.append(f"latent = latent.placed({particle}, {touch.position})")
    if touch.scale is not None:
        lines.append(f"latent = latent.with_scale({particle}, {touch.scale})")
    if touch.presence is not None:
        lines.append(f"latent = latent.with_presence({particle}, {touch.presence!r})")
    return lines


def _feature_lines(particle: int, features: Mapping[int, float]) -> list[str]:
    numbers = [f"look[{dimension}] = {value!r}" for dimension, value in sorted(features.items())]
    return [
        f"look = latent.features[0, {particle}].clone()",
        *numbers,
        f"latent = latent.with_features({particle}, look)",
    ]


def _copy_line(particle: int, copy_of: Source, added: bool, variables: Mapping[str, str]) -> str:
    name = variables[copy_of[0]]
    source = copy_of[1]
    edit = f"joined({name}, {source})" if added else f"with_particle_of({name}, {source}, {particle})"
    return f"latent = latent.{edit}"


def _row(latent: Particles, picture: int, particle: int) -> dict[str, Any]:
    row, column = latent.position[picture, particle].tolist()
    row_std, column_std = (0.5 * latent.log_variance[picture, particle]).exp().tolist()
    certainty = torch.ones_like(latent.presence) if latent.certainty is None else latent.certainty
    return {
        "particle": particle,
        "row": row,
        "column": column,
        "row_std": row_std,
        "column_std": column_std,
        "presence": latent.presence[picture, particle].item(),
        "certainty": certainty[picture, particle].item(),
        "there": bool(latent.believed[picture, particle]),
    }


def _box(
    boxes: VisibleBoxes | None, middles: Float[Tensor, "B K 2"], picture: int, particle: int
) -> dict[str, float | None]:
    """The particle's box in pixels, its ends exclusive, and the middle of what it draws, where i is the middle of
    pixel i.

    The entries of a particle of which nothing is visible are None.
    """
    if boxes is None:
        return {}
    if not boxes.visible[picture, particle]:
        return dict.fromkeys(BOX)
    top, left, bottom, right = boxes.box[picture, particle].tolist()
    middle = pixels_of_positions(middles[picture, particle], boxes.canvas).tolist()
    return dict(zip(BOX, (top, left, bottom, right, bottom - top, right - left, *middle), strict=True))


def _look(latent: Particles, picture: int, particle: int) -> dict[str, float]:
    features = latent.features[picture, particle].tolist()
    return {f"feature_{number}": value for number, value in enumerate(features)}
