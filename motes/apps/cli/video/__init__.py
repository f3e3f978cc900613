"""Commands about films: what is in them, and what comes next."""
