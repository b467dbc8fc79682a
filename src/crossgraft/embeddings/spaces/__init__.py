"""Vectors of one language: reading, caching, normalising, comparing."""
