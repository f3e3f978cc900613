"""Generated worlds of solids, drawn by casting rays."""
