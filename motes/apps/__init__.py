"""What people touch: command line, studio, report."""
