"""Layers and small networks that several models are built from."""
