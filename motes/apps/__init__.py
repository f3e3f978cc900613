"""The programs that people use: the command line, the drawings, the report and the studio."""
