"""A generated world of animals with joints."""
