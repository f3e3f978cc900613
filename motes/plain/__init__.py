"""Plain values and files: records, registries, options, writing. Needs no torch."""
