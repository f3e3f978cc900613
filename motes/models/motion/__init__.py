"""How things move, and what follows from it."""
