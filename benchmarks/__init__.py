"""Times of gaussmix beside scikit-learn's, on the same data from the same start: ``python -m benchmarks``."""
