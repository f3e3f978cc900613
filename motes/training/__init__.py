"""Floor 3: the one loop, its stages and schedule, and the folder a run lives in."""
