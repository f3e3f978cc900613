"""The training loop, its stages and schedule, and the folder of a run."""
