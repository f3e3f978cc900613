"""Presets of the models whose code is told apart: by factor, by domain, by class and view."""

from motes.training.presets.preset import Preset

FACTORS: dict[str, Preset] = {}
