"""Fewer components with the same mean and covariance: which to merge, and at what loss."""
