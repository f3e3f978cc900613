"""PRESETS: name of a preset -> its recipe. Needs no torch.

Where a paper and its code disagree, a comment says which of them the preset follows.
"""

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

PRESETS = {
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
