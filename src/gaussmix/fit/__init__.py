"""The loops that fit mixtures. They know no data and no engine."""
