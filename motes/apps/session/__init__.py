"""Open a model; read, encode, edit and decode pictures."""
