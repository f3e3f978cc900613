"""Floor 1: building blocks that know tensors, not tasks."""
