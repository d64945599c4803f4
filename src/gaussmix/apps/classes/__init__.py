"""A Gaussian mixture for each class."""
