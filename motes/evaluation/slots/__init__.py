"""Scores of slots: what each of them owns, what each update buys, and how readings from different draws differ."""
