"""Deep Latent Particles and the parts that only they use."""
