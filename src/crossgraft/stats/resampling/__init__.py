"""Intervals from draws of items, from clusters and from few units."""
