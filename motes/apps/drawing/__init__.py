"""Pictures for people: marks, sheets, films."""
