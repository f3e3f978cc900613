"""The command `motes`: one file a command."""
