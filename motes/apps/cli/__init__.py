"""The command `motes`, with one file per subcommand."""
