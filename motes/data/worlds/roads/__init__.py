"""Generated worlds of roads: traffic at a junction, and streets."""
