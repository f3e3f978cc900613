"""Pure functions of tensors, without modules, config or files."""
