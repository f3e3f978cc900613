"""What can be done with any model that draws: restore, direct, sample, interpolate, lay out."""
