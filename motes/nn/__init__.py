"""Building blocks of networks. They work on tensors, and know nothing of tasks, paths or downloads."""
