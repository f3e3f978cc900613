"""Building blocks that know tensors, not tasks, paths or downloads."""
