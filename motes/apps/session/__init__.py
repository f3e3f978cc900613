"""Sessions: a model opened for use by apps, which read, encode, edit and decode pictures with it."""
