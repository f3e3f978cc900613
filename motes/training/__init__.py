"""Training: the loop, its stages and schedule, presets, and the run folder that it writes."""
