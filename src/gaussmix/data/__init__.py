"""Tables in files: read into plain arrays, and written."""
