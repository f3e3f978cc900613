"""The commands below `motes data`, one file each."""
