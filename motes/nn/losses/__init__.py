"""Losses between drawn and true pictures: of pixels, of features (perceptual), and likelihoods."""
