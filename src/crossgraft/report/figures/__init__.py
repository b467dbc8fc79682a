"""Figures for a paper, drawn by matplotlib: the matrix, donors and recipients, gain against harm, means by regime."""
