"""Worlds of flat shapes."""
