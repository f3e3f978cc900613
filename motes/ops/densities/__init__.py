"""Probability: divergences, likelihood bounds, mixtures, noise."""
