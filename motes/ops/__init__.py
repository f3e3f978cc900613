"""Pure functions of tensors: no modules, no config, no files."""
