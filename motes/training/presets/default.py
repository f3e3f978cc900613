"""DEFAULT: the recipe of `motes train PLACE`, whose sizes a survey of the data fills in."""

from dataclasses import replace

from motes.data.source import Source
from motes.training.presets.particles import POINTS

QUICK = POINTS["dlp-quick"].recipe
# more minutes: the windows may be larger, and real pictures are harder
DEFAULT = replace(
    QUICK,
    data=Source(""),
    training=replace(QUICK.training, steps=1500, max_minutes=8.0, evaluate_every=500),
    preset="dlp",
)
