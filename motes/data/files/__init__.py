"""Data sets in users' own files: pictures, videos, arrays, tables, annotations."""
