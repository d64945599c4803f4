"""Rows, weights and names from what holds them: arrays, masked arrays, data frames and tables of any library.

No library is imported to look at an object; what it is shows in its attributes.
"""
