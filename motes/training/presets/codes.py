"""Presets of the models that squeeze a picture through a code: components, autoencoders and what is stacked of them."""

from motes.training.presets.preset import Preset

CODES: dict[str, Preset] = {}
