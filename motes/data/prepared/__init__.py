"""Data sets written once, in a form that is read fast."""
