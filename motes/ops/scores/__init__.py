"""Numbers that compare what was found with what is true."""
