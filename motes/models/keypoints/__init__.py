"""The key-point methods that particles are compared with."""
