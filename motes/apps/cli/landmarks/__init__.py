"""Commands that read annotated points off latents: `motes landmarks fit`, `motes landmarks read`."""
