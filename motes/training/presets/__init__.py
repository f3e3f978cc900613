"""PRESETS: name -> recipe. Where a paper and its code disagree, what was taken is said. Needs no torch."""

from motes.training.presets.codes import CODES
from motes.training.presets.factors import FACTORS
from motes.training.presets.generative import GENERATIVE
from motes.training.presets.particles import POINTS
from motes.training.presets.poses import POSES
from motes.training.presets.preset import Preset

__all__ = ["PRESETS", "Preset"]

PRESETS = {**POINTS, **CODES, **GENERATIVE, **FACTORS, **POSES}
