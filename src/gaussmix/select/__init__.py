"""Many models side by side, and how many components there should be."""
