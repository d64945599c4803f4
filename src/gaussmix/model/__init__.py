"""The mathematics: values and pure functions, on NumPy and SciPy alone."""
