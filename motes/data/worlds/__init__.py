"""Generated worlds whose truth is known; the same pixels from a seed on any machine."""
