"""Traffic at a junction, and streets."""
