"""A look at a data set before training: its background, its things, and the sizes that suit them."""
