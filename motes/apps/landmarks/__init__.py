"""Annotated points: readers that learn from them, and the files of what was read."""
