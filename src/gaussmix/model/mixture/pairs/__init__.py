"""Numbers of each component of one mixture with each of another, or of its own."""
