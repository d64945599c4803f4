"""Regression by joint mixtures: predictive distributions of some columns given the others, and scores."""
