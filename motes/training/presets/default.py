"""DEFAULT: the recipe of `motes train PLACE`, whose sizes a survey of the data fills in."""

from motes.data.source import Source
from motes.training.recipe import Recipe, Training

# as dlp-quick, with more minutes: the windows may be larger, and real pictures are harder
DEFAULT = Recipe(
    "dlp",
    Source(""),
    {"presence_weight": 1.5, "phases": (0.1, 0.04), "kl_weights": (0.1, 1e-4)},
    Training(1500, 32, 2e-3, schedule="cosine", clip_norm=100.0, max_minutes=8.0, evaluate_every=500),
    preset="dlp",
)
