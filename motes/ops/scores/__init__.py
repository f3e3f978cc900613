"""Scores that compare what a model found with the truth."""
