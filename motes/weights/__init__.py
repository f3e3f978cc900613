"""Weights of trained networks, others' and ours: finding, verifying, downloading and learning them."""
