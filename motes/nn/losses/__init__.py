"""What counts as a good picture: pixel, perceptual and likelihood losses."""
