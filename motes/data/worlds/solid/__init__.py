"""Worlds of solids, ray-cast."""
