"""Text tables, read and written: what a file shows of its form, and the numbers in it."""
