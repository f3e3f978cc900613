"""From particles to pixels: glimpses, compositing, and what each particle covers."""
