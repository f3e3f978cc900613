"""Questions about clips: things over time."""
