"""Tools for any model that draws: restoring pictures, directions, sampling, interpolation, maps of codes."""
