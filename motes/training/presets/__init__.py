"""PRESETS: name of a preset -> its recipe, with those that other packages add. Needs no torch.

Where a paper and its code disagree, a comment says which of them the preset follows.
"""

import warnings
from collections.abc import Iterator
from importlib.metadata import entry_points

from motes.training.presets.codes import CODES
from motes.training.presets.factors import FACTORS
from motes.training.presets.generative import GENERATIVE
from motes.training.presets.particles import POINTS
from motes.training.presets.particles_2024 import SUCCESSORS
from motes.training.presets.poses import POSES
from motes.training.presets.preset import Preset
from motes.training.presets.slot_attention import SLOT_ATTENTION
from motes.training.presets.slots import SLOTS
from motes.training.presets.video import VIDEO

__all__ = ["PRESETS", "Preset"]


def _added() -> Iterator[tuple[str, Preset]]:
    """The presets of other packages; one that is broken is named and left out."""
    for entry in entry_points(group="motes.presets"):
        try:
            yield entry.name, entry.load()
        except (ImportError, AttributeError) as problem:
            warnings.warn(f"preset {entry.name} of {entry.value} is left out: {problem}", stacklevel=2)


# our own come last: they keep their names
PRESETS = {
    **dict(_added()),
    **POINTS,
    **SUCCESSORS,
    **SLOTS,
    **SLOT_ATTENTION,
    **CODES,
    **GENERATIVE,
    **FACTORS,
    **POSES,
    **VIDEO,
}
