"""Data sets written once to be read fast."""
