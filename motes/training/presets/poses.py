"""Presets of the models between a description and a picture: layouts, poses."""

from motes.training.presets.preset import Preset

POSES: dict[str, Preset] = {}
