"""Models whose latent is slots."""
