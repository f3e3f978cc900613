"""Drawings for people to look at: marks on pictures, contact sheets, films."""
