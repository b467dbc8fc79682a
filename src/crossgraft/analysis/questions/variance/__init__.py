"""Shares of variance, and the posterior of every cell."""
