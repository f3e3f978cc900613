"""Models whose code separates factors: class, domain, pose, light."""
