"""Benchmarks of motes: each is a script, `python benchmarks/<room>/<name>.py --help`."""
