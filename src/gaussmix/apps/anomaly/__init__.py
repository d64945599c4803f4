"""Rows that do not belong: a density of the normal rows, thresholds, p-values, reasons."""
