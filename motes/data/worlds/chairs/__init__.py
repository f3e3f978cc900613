"""A generated world of chairs, seen from all sides."""
