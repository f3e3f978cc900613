"""The report of a run, as one web page."""
