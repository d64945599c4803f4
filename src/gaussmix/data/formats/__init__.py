"""Formats of tables: which one a file has, and a reader for each that is not text."""
