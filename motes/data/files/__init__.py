"""Users' files: pictures, videos, arrays, tables, annotations."""
