"""Intervals: one sum of cells, many sums at once, sums without items, and values that were picked."""
