"""Points in the plane: key points, matching, warps, interpolation."""
