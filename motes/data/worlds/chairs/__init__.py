"""Chairs seen from all sides."""
