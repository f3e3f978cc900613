"""Videos with tracks as truth, in the formats that annotated videos come in."""
