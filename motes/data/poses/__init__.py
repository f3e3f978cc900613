"""Pictures with annotated poses, in the formats of the tools that annotate them."""
