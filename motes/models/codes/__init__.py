"""Models that describe a picture by one vector."""
