"""A generated world of drawn faces and eyes."""
