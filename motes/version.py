"""The version of motes, readable without importing torch."""

VERSION = "0.1.0"
