"""Models that estimate poses or draw from layouts."""
