"""Tools for plain values and files: records, registries, options, caches, complete writing.

Needs no torch.
"""
