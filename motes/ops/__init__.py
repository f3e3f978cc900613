"""Floor 0: pure tensor functions and plain data; no modules, no config, no files."""
