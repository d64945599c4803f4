"""What people use a fitted mixture for: anomalies, classes."""
