"""Starts: from the rows to a first mixture, one file each; `table.py` has their names."""
