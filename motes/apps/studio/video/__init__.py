"""Clips in the studio: their frames, the things that are followed in them, and what comes next."""
