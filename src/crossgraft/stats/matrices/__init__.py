"""Matrices of sources and targets: effects, parts, patterns, ranks, correlations."""
