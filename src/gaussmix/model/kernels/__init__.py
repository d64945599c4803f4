"""From rows and natural parameters to statistics and densities."""
