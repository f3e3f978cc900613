"""Keypoint models, with which the particles are compared."""
