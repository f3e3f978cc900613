"""The studio: a local page on which pictures are taken hold of by their particles."""
